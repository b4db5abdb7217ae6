"""Harvest of tasks from a package's own functions: their tests recorded, extended and proved."""
