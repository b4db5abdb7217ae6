"""Reports for a terminal: plain text of some width and encoding."""
