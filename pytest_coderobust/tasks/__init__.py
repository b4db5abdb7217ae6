"""Suites and the dataset formats they read."""
