"""The table `[sandbox]` of a suite file: limits, isolation, and the packages in the cage."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from pytest_coderobust.config.table import Table, check_unique
from pytest_coderobust.records import TIERS, Limits

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
"""A distribution's name, as PyPA specifies it."""


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """A suite's wishes about the sandbox.

    Attributes:
        minimum_tier: the weakest isolation under which the suite may be judged; "" for any.
        packages: installed distributions that solutions and tests may use, as the suite names them.
    """

    limits: Limits = field(default_factory=Limits)
    minimum_tier: str = ""
    packages: tuple[str, ...] = ()


def read_sandbox(table: Table) -> SandboxConfig:
    """Reads the table. Raises ConfigError."""
    found = SandboxConfig(_limits(table), _minimum_tier(table), _packages(table))
    table.finish()
    return found


def _limits(table: Table) -> Limits:
    default = Limits()
    cpu = table.number("cpu_seconds", default.cpu_seconds, least=0.1, most=3600.0)
    return replace(
        default,
        cpu_seconds=cpu,
        call_seconds=table.number("call_seconds", cpu / 5, least=0.0, most=3600.0),
        wall_seconds=table.number(
            "wall_seconds", max(default.wall_seconds, 4 * cpu), least=0.1, most=36000.0
        ),
        memory_mb=table.integer("memory_mb", default.memory_mb, least=64),
    )


def _minimum_tier(table: Table) -> str:
    return table.choice("minimum_tier", TIERS[-1], TIERS) if "minimum_tier" in table else ""


def _packages(table: Table) -> tuple[str, ...]:
    names = table.texts("packages")
    for name in names:
        if not NAME.fullmatch(name):
            raise table.error(
                "packages", f"{name!r} is no distribution's name; versions and extras have no place"
            )
    check_unique(table, "packages", [re.sub(r"[-_.]+", "-", name).lower() for name in names])
    return names
