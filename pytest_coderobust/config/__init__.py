"""What users write: suite files, `[tool.coderobust]`, validated before anything heavy loads."""
