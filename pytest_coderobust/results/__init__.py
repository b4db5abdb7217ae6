"""The results of a session: each suite's run, numbers, decisions and evidence."""
