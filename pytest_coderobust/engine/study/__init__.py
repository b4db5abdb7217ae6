"""Studies of API migration: arms measured on the same tasks in the same world."""
