"""Compares a new checkpoint with the bundled one on the same suite."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from pytest_coderobust.tiny import checkpoint_path
from pytest_coderobust.tiny.measurement import Figures, measure

TOLERANCE = 0.02
"""Largest difference allowed in pass@1 of the whole suite: four tasks of 205."""


def verify(fresh: Path, console: Console) -> int:
    """Measures both models; returns 0 when they agree, else 1."""
    return compare(measure(checkpoint_path()), measure(fresh), console)


def compare(bundled: Figures, fresh: Figures, console: Console) -> int:
    """Prints both models' figures; returns 0 when clean pass@1 agrees, else 1."""
    table = Table("measure", "bundled", "fresh")
    for part, value in bundled.passed.items():
        table.add_row(f"pass@1, {part}", f"{value:.3f}", f"{fresh.passed[part]:.3f}")
    for name, value in bundled.drops.items():
        table.add_row(f"RD, {name}", f"{value:.3f}", f"{fresh.drops[name]:.3f}")
    console.print(table)
    gap = abs(bundled.overall - fresh.overall)
    agrees = gap <= TOLERANCE
    verdict = "agree" if agrees else "differ"
    console.print(f"the two {verdict}: pass@1 is {gap:.3f} apart, {TOLERANCE} is allowed")
    return 0 if agrees else 1
