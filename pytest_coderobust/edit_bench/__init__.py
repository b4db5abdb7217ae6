"""Benchmark of knowledge edits: whether an edit does as told, elsewhere too, and no more."""
