"""Studies of API migration: arms side by side on one benchmark, and what came of them."""
