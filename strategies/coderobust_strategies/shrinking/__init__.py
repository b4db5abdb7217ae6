"""Support for shrinking: the order of edits from simple to complicated, and their display."""
