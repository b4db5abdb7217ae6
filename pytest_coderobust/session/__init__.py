"""One session under both doors: a model, a ledger, a sandbox, and the suites measured with them."""
