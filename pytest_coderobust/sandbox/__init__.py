"""The only room that runs foreign code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from pytest_coderobust.errors import SandboxError, UnknownName
from pytest_coderobust.sandbox.cage.plan import LADDER, RLIMITS
from pytest_coderobust.sandbox.pool.pool import Pool

SAFE_TIERS = tuple(tier for tier in LADDER if tier != RLIMITS)

__all__ = ["JUDGE_VERSION", "demand_tier", "open_sandbox"]

JUDGE_VERSION = f"6-py{sys.version_info.major}.{sys.version_info.minor}"
"""Changes whenever the same check might get another verdict; part of a verdict's key."""


def open_sandbox(
    workers: int | None = None, *, tiers: Sequence[str] | None = None, allow_unsafe: bool = False
) -> Pool:
    """Starts a sandbox with so many workers (default: one for each processor).

    Args:
        tiers: the isolation to try, in this order; the default is every tier but the last,
            strongest first. The one that works is the sandbox's `tier`.
        allow_unsafe: also accept limits alone, under which a hostile solution can read and
            write what the user can.

    Raises:
        SandboxError: no allowed tier works here; the message says why for each.
        UnknownName: a tier that does not exist.
    """
    wanted = tuple(tiers) if tiers is not None else SAFE_TIERS
    for name in wanted:
        if name not in LADDER:
            raise UnknownName("sandbox tier", name, LADDER)
    if allow_unsafe and RLIMITS not in wanted:
        wanted = (*wanted, RLIMITS)
    if RLIMITS in wanted and not allow_unsafe:
        raise SandboxError(f"the sandbox tier {RLIMITS!r} must be allowed with allow_unsafe")
    return Pool(workers or os.cpu_count() or 1, wanted)


def demand_tier(tier: str, minimum: str, where: str) -> None:
    """Refuses isolation that is weaker than somebody asks for.

    Args:
        minimum: one of the tiers, or "" for any.
        where: who asks: file, section and key, to begin the error with.

    Raises:
        SandboxError: it is weaker.
    """
    if minimum and LADDER.index(tier) > LADDER.index(minimum):
        raise SandboxError(
            f"{where} = {minimum!r}: the isolation that works here is {tier!r}, which is weaker; "
            f"the tiers are, strongest first, {', '.join(LADDER)}"
        )
