"""What an editor is asked for: a request, and a test of which completions pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_coderobust.records import Cell, Task, digest

PassTest = Callable[[Task, Sequence[str]], Sequence[bool]]
"""Which completions of a task pass its tests."""


@dataclass(frozen=True, slots=True)
class EditRequest:
    """What an edit is to achieve: that the perturbed prompt is answered as the clean one is.

    Attributes:
        task: the task edited on; never scored for generalisation.
        clean, perturbed: its prompt without and with the perturbation.
        perturbation: the name of the perturbation ("C1").
        target: the continuation that the perturbed prompt shall have; None is the greedy
            continuation of the clean prompt by the model itself.
        seed: the seed the perturbed prompt was drawn with.
    """

    task: Task
    clean: str
    perturbed: str
    perturbation: str
    target: str | None = None
    seed: int = 0

    @property
    def label(self) -> str:
        """As in a test id: "HumanEval/3[C1-s0]"."""
        return f"{self.task.id}[{Cell(self.perturbation, self.seed).label}]"

    @property
    def digest(self) -> str:
        """Everything in the request that an edit depends on."""
        parts = (self.clean, self.perturbed, self.target, self.task.language)
        return digest("request", self.task.id, self.perturbation, self.seed, *parts)
