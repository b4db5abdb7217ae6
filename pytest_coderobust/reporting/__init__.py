"""Reports: text made of results, for terminals, files and trackers."""
