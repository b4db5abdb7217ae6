"""The perturbations, one module for each family. Their names are in `catalogue`."""
