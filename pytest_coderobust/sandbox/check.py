"""Checks, which go into a sandbox: a solution, the tests that judge it, and limits."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

from pytest_coderobust.records import ApiChange, Language, Limits, Packages, Tests, Verdict

__all__ = ["Check", "Limits", "Sandbox"]


@dataclass(frozen=True, slots=True)
class Check:
    """One solution to judge.

    Attributes:
        solution: the whole untrusted program; it never sees `tests`.
        entry_point: the name in the solution that the tests call.
        api_changes: enforced on the solution; the verdict says what it did about each.
        in_process: for tests that cannot be split from the solution: they run in its process,
            and a hostile one can pass. `calibration.calibrate` finds the checks that need it.
        packages: installed distributions that solution and tests may use, of Python checks only;
            `packages.resolve` makes them of names.
    """

    solution: str
    entry_point: str
    tests: Tests
    limits: Limits = field(default_factory=Limits)
    language: Language = "python"
    api_changes: tuple[ApiChange, ...] = ()
    in_process: bool = False
    packages: Packages = field(default_factory=Packages)


class Sandbox(Protocol):
    """A pool of isolated runners behind the `concurrent.futures` shape."""

    @property
    def tier(self) -> str:
        """The isolation in force: "ns", "bwrap", "no-ns", "rlimits", ..."""
        ...

    @property
    def workers(self) -> int:
        """Number of checks that are judged at the same time."""
        ...

    def submit(self, check: Check) -> Future[Verdict]:
        """Queues a check; the future raises SandboxError when the harness itself fails."""
        ...

    def close(self) -> None:
        """Ends every process the sandbox started."""
        ...
