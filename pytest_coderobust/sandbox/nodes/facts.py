"""The facts of a process that judges: equal facts mean verdicts under equal keys."""

from __future__ import annotations

import platform
from dataclasses import dataclass, fields
from importlib import metadata

from pytest_coderobust.sandbox import JUDGE_VERSION, open_sandbox
from pytest_coderobust.sandbox.cage.plan import LADDER, RLIMITS
from pytest_coderobust.sandbox.languages.toolchain import toolchain_version

DISTRIBUTION = "pytest-coderobust"
WORDS = {
    "tier": "isolation",
    "judge": "judge",
    "package": DISTRIBUTION,
    "python": "Python",
    "cpp": "C++",
    "java": "Java",
}


@dataclass(frozen=True, slots=True)
class JudgeFacts:
    """Facts that decide verdicts, or the keys that verdicts are kept under.

    Attributes:
        tier: the isolation in force.
        judge: `JUDGE_VERSION`.
        package: the version of this package; "" where it is not installed.
        python: implementation and version.
        cpp, java: what the compilers say of themselves; "" where there are none.
    """

    tier: str
    judge: str
    package: str
    python: str
    cpp: str
    java: str


def find_facts(tier: str) -> JudgeFacts:
    """Finds the facts of this process, whose sandbox has a tier."""
    try:
        package = metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        package = ""
    return JudgeFacts(
        tier=tier,
        judge=JUDGE_VERSION,
        package=package,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        cpp=toolchain_version("cpp"),
        java=toolchain_version("java"),
    )


def compare_facts(here: JudgeFacts, there: JudgeFacts) -> str:
    """Says in what a node differs from the coordinator; "" where in nothing."""
    pairs = ((WORDS[field.name], field.name) for field in fields(JudgeFacts))
    told = [(word, getattr(there, name), getattr(here, name)) for word, name in pairs]
    return "; ".join(
        f"{word} {_show(found)} there, {_show(wanted)} here"
        for word, found, wanted in told
        if found != wanted
    )


def find_tier(*, allow_unsafe: bool = False) -> str:
    """Finds the isolation of this machine's own sandbox.

    Raises:
        SandboxError: none works here.
    """
    with open_sandbox(1, allow_unsafe=allow_unsafe) as sandbox:
        return sandbox.tier


def list_tiers(tier: str) -> tuple[str, ...]:
    """Lists what a node tries for a tier: it first, so that a machine that can do more is used.

    Weaker ones follow, so that a node which cannot do it says what it has.
    """
    return LADDER[LADDER.index(tier) :] if tier == RLIMITS else LADDER[LADDER.index(tier) : -1]


def _show(value: str) -> str:
    return repr(value) if value else "none"
