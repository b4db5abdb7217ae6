"""The judge: trusted tests on this side, the candidate in its cage on the other."""
