"""The sandbox of a session: on this machine, or on the nodes of a cluster."""

from __future__ import annotations

from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Sandbox
from pytest_coderobust.session.choices import Choices


def open_judges(choices: Choices) -> tuple[Sandbox, tuple[str, ...]]:
    """Opens the sandbox that was chosen; returns it with what the user should know of its machines.

    Raises:
        SandboxError: no isolation works, here or on any node.
        UsageError: no cluster answers.
        MissingExtra: Ray is not installed.
    """
    workers, unsafe = choices.sandbox_workers, choices.allow_unsafe
    if choices.judges is None:
        return open_sandbox(workers, allow_unsafe=unsafe), ()
    from pytest_coderobust.sandbox.nodes.ray_cluster import open_ray_sandbox

    address = choices.judges.removeprefix("ray").removeprefix(":")
    sandbox = open_ray_sandbox(address, workers, allow_unsafe=unsafe)
    return sandbox, sandbox.notes
