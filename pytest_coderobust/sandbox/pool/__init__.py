"""A thread pool that judges checks: each thread has a worker process and replaces a crashed one."""
