"""Extraction of solutions from completions: fences, blocks of Python, languages of braces."""
