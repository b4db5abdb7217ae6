"""The report for machines, described by schema.json."""
