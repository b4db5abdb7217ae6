"""The pool: worker processes, and the threads that hand them checks."""
