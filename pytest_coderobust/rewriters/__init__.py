"""Engines that rewrite sentences: back-translation and paraphrasing behind one protocol."""
