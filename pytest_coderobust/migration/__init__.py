"""API migrations: uses of APIs in programs, their rewriting, and benchmarks made of both."""
