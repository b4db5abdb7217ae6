"""The door for Python: what notebooks and scripts call, on the session that pytest uses."""
