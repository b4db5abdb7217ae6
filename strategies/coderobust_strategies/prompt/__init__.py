"""The parts of a prompt: code, prose, examples, protected spans, and its words with their forms."""
