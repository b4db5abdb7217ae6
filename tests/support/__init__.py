"""Parts that several tests share: simulations, checkpoints, hostile loops, drivers."""
