"""Prompts taken apart: code, prose, examples, protected spans, and the forms of words."""
