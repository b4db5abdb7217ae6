"""Search for the smallest breaking prompt: candidates, minimisation, confirmation, record."""
