"""Configuration by users: suite files and `[tool.coderobust]`, validated before a model loads."""
