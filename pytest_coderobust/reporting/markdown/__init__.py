"""Reports in GitHub Flavored Markdown."""
