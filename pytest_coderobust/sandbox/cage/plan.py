"""The plan that a zygote gets at its start: the isolation to set up, and around what."""

from __future__ import annotations

import json
from typing import NamedTuple

NS, BWRAP, NO_NS, SECCOMP, RLIMITS = "ns", "bwrap", "no-ns", "seccomp", "rlimits"
LADDER = (NS, BWRAP, NO_NS, SECCOMP, RLIMITS)
"""Tiers of isolation, strongest first; `records.TIERS` where the cage cannot import it."""


class CagePlan(NamedTuple):
    """One zygote's isolation.

    Attributes:
        tier: one of LADDER. "ns": namespaces, Landlock, seccomp, limits. "bwrap": the same
            inside namespaces that bubblewrap made. "no-ns": without namespaces. "seccomp":
            without Landlock too. "rlimits": limits alone.
        readable: paths that candidates may read: interpreter and libraries.
        scratch: a folder of this zygote's own, on which its work folder or new root is made.
        slot: a number no other zygote on this machine has; picks the user id when root.
        commands: candidates become programs of their own (compilers, what they built), which
            without it no candidate may start.
    """

    tier: str
    readable: tuple[str, ...]
    scratch: str
    slot: int
    commands: bool = False

    def write(self) -> str:
        return json.dumps(self._asdict())

    @staticmethod
    def read(text: str) -> CagePlan:
        fields = json.loads(text)
        fields["readable"] = tuple(fields["readable"])
        return CagePlan(**fields)
