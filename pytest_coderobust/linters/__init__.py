"""Linters as programs: solutions are read by them, and never run or imported."""
