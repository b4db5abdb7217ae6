"""Metrics in, text out: terminal and JSON."""
