"""Models behind one protocol: Hugging Face checkpoints, recordings, the oracle, scripts."""
