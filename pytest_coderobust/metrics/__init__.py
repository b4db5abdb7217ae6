"""The numbers: pass@k, relative degradation, ReCode's robust three."""
