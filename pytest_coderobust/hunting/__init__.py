"""Hunt for the smallest breaking prompt: candidates, minimisation, confirmation, record."""
