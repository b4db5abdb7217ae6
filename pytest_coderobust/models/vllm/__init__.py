"""vLLM in this process: a checkpoint whose rows vLLM's engine batches as it sees fit."""
