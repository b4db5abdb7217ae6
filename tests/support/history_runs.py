"""Ledgers of one suite over releases, each a little different from the one before."""

from __future__ import annotations

import random
from pathlib import Path

from pytest_coderobust.results.conclusion import SuiteReport
from support.metrics_runs import Outcome
from support.report_runs import make_report

LOSSES = {"C1": 0.3, "C2": 0.25, "C3": 0.8, "W1": 0.1, "nlp:E1": 0.02}
LEVELS = {"C1": "character", "C2": "character", "C3": "character", "W1": "word", "nlp:E1": "word"}


def draw_table(
    seed: int, *, tasks: int = 24, clean: float = 0.8, scale: float = 1.0, seeds: int = 3
) -> dict[str, dict[str, Outcome]]:
    """Draws a run: each perturbation breaks its share of what is solved, and mends a little."""
    source = random.Random(seed)
    table: dict[str, dict[str, Outcome]] = {}
    for number in range(tasks):
        solved = source.random() < clean
        row: dict[str, Outcome] = {"clean": int(solved)}
        for name, loss in LOSSES.items():
            for place in range(seeds):
                chance = 1 - min(1.0, scale * loss) if solved else 0.08
                row[f"{name}-s{place}"] = int(source.random() < chance)
        table[f"HumanEval/{number}"] = row
    return table


def add_release(
    folder: Path,
    number: int,
    *gates: object,
    table: dict[str, dict[str, Outcome]] | None = None,
    **drawn: float,
) -> SuiteReport:
    """Concludes a run of its own model in the folder's `ledger.sqlite`."""
    folder.mkdir(parents=True, exist_ok=True)
    return make_report(
        folder,
        table or draw_table(number, **drawn),  # type: ignore[arg-type]
        None,
        *gates,
        model=f"codellama-7b-rc{number}",
        digest=f"{number:02x}" * 16,
        levels=LEVELS,
    )
