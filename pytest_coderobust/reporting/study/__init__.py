"""Reports of studies of API migration: tables for a terminal, and a page with pictures."""
