"""Tasks of a suite: data sets, the shapes of their rows, recorded variants."""
