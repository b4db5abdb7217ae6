"""The sandbox of a session: on this machine, on the nodes of a cluster, or somebody else's."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass

from pytest_coderobust.records import Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check, Sandbox
from pytest_coderobust.session.choices import Choices


@dataclass(frozen=True, slots=True)
class BorrowedSandbox:
    """A sandbox that stays open when the session closes."""

    lent: Sandbox

    @property
    def tier(self) -> str:
        return self.lent.tier

    @property
    def workers(self) -> int:
        return self.lent.workers

    def submit(self, check: Check) -> Future[Verdict]:
        return self.lent.submit(check)

    def close(self) -> None:
        """Leaves it to its owner."""


def open_judges(choices: Choices) -> tuple[Sandbox, tuple[str, ...]]:
    """Opens the sandbox that was chosen; returns it with lines about its machines for the user.

    Raises:
        SandboxError: no isolation works, here or on any node.
        UsageError: no cluster answers.
        MissingExtra: Ray is not installed.
    """
    workers, unsafe, judges = choices.sandbox_workers, choices.allow_unsafe, choices.judges
    if judges is None:
        return open_sandbox(workers, allow_unsafe=unsafe), ()
    if not isinstance(judges, str):
        return BorrowedSandbox(judges), ()
    from pytest_coderobust.sandbox.nodes.ray_cluster import open_ray_sandbox

    address = judges.removeprefix("ray").removeprefix(":")
    sandbox = open_ray_sandbox(address, workers, allow_unsafe=unsafe)
    return sandbox, sandbox.notes
