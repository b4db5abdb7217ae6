"""The limits of one check, and the verdict of the judge."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

TIERS = ("ns", "bwrap", "no-ns", "seccomp", "rlimits")
"""The tiers of isolation, strongest first; docs/sandbox.md says what each of them holds."""

FailureKind = Literal[
    "",
    "empty",
    "syntax",
    "load-error",
    "missing-entry-point",
    "wrong-answer",
    "exception",
    "timeout",
    "memory",
    "died",
    "protocol",
    "refused",
]
"""The kind of a first failure. "refused" is of an answer that the model's server would not give."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one check. Processor time decides; wall time is a backstop.

    Attributes:
        cpu_seconds: of the solution's process in all.
        call_seconds: of it, for one call of a function, where tests call from outside; 0 sets no
            limit of one call.
    """

    cpu_seconds: float = 5.0
    call_seconds: float = 0.0
    wall_seconds: float = 20.0
    memory_mb: int = 1024
    output_bytes: int = 1 << 20
    wire_bytes: int = 16 << 20


class Level(str, Enum):
    """The level a solution reached; each level includes the ones before it."""

    NONE = "none"  # not even syntax
    COMPILE = "compile"  # parses, but its top level raises
    LOAD = "load"  # the module loads; no test passed
    PARTIAL = "partial"  # at least one test passed
    FULL = "full"  # every test passed


@dataclass(frozen=True, slots=True)
class ApiUse:
    """One solution's uses of one declared change, as its own process counted.

    A hostile solution can make up these numbers, and gains nothing: it could as well call.

    Attributes:
        old: times it reached for the old name, in vain.
        new: times it used the new one: calls, attributes of the new class and instance checks with
            it, and imports that no call follows.
    """

    old: int = 0
    new: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of the judge on one solution.

    Attributes:
        passed, total: tests passed of all tests; `total` is known before the run.
        failure: "" for a full verdict, else the kind of the first failure.
        detail: one line about the first failure, from untrusted text: never markup.
        tier: the isolation the solution ran under.
        cpu_seconds: processor time of the candidate.
        api_uses: one for each API change that the check declares.
        in_process: the tests ran in the solution's process, because they cannot be split from
            it; a hostile solution could have made this verdict up.
    """

    level: Level
    passed: int
    total: int
    failure: FailureKind = ""
    detail: str = ""
    tier: str = ""
    cpu_seconds: float = 0.0
    api_uses: tuple[ApiUse, ...] = ()
    in_process: bool = False

    @property
    def full(self) -> bool:
        return self.level is Level.FULL
