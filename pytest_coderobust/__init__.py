"""Robustness regression testing of code language models, as a pytest plugin."""
