"""Rewriters of sentences: back-translation and paraphrasing behind one protocol."""
