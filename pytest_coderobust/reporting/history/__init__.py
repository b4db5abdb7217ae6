"""The history of suites as a table, a page and a document."""
