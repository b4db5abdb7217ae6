"""Training on perturbed data: sets of rows, the training of a model on one, and what it leaves."""
