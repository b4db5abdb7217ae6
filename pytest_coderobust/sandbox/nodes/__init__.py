"""Judges checks on other machines or in other processes: bytes go out, bytes come back."""
