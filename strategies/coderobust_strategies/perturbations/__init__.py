"""The perturbations, one family a module; `catalogue` names them."""
