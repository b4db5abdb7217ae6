"""Solutions that must be compiled: C++ and Java, built and run in the cage.

Their tests are compiled together with the solution, so the verdict cannot be split: it is the word
of a process that ran foreign code, and a solution that was written to forge it could. A report
counts only behind a secret of the run, which the process reads before the solution's first line:
leaving early, printing or closing descriptors passes nothing.
"""
