"""The order in which edits count as simpler, and how a set of edits is shown."""
