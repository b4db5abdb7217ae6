"""A task's prompt under one column of the plan."""

from __future__ import annotations

from dataclasses import dataclass

from coderobust_strategies.edit import Edit
from pytest_coderobust.records.task import Task

CLEAN = "clean"
"""The name of the unperturbed condition in the place of a perturbation's name."""


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One column of the plan: a perturbation and a seed, or the clean condition."""

    perturbation: str = CLEAN
    seed: int = 0

    @property
    def label(self) -> str:
        """The text in the brackets of a test id: "clean" or "C1-s0"."""
        return CLEAN if self.is_clean else f"{self.perturbation}-s{self.seed}"

    @property
    def is_clean(self) -> bool:
        return self.perturbation == CLEAN


Square = tuple[str, Cell]
"""A task id and a cell: one square of the plan."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A task's prompt under one cell of the plan.

    Attributes:
        task: the task that judges the answer; a perturbation that changes code (a rename)
            carries a task of its own here, every other one the original.
        cell: perturbation and seed.
        prompt: what the model sees.
        edits: the edits that turn the clean prompt into `prompt`; empty when recorded.
        member: the member an aggregate drew ("C1" for "C"), or "".
        skipped: why there is no such variant ("no eligible site"), or "" when there is one.
        damage: the kinds of damage the auditor found in a variant that the suite keeps, or "".
    """

    task: Task
    cell: Cell
    prompt: str
    edits: tuple[Edit, ...] = ()
    member: str = ""
    skipped: str = ""
    damage: str = ""
