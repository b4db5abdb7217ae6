"""From a completion to the solution in it: fences, blocks of Python, languages of braces."""
