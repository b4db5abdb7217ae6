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
        placed: paths that candidates may read under another name, by that name.
        roots: folders that candidates import packages from.
        modules: distribution and module of each import that makes the packages ready.
        libraries: those of the packages whose values the wire has words for.
    """

    tier: str
    readable: tuple[str, ...]
    scratch: str
    slot: int
    commands: bool = False
    placed: tuple[tuple[str, str], ...] = ()
    roots: tuple[str, ...] = ()
    modules: tuple[tuple[str, str], ...] = ()
    libraries: tuple[str, ...] = ()

    def write(self) -> str:
        return json.dumps(self._asdict())

    @staticmethod
    def read(text: str) -> CagePlan:
        fields = json.loads(text)
        for name in ("readable", "placed", "roots", "modules", "libraries"):
            fields[name] = tuple(fields[name])
        return CagePlan(**fields)
