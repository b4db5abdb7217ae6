"""What a session concluded about a suite: its run, its numbers, its decisions, its evidence."""
