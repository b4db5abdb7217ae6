"""Edit requests, the parting that one may be about, and the test of which completions pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass

from pytest_coderobust.records import Cell, Task, digest

PassTest = Callable[[Task, Sequence[str]], Sequence[bool]]
"""Test that says for each completion of a task whether it passes."""


@dataclass(frozen=True, slots=True)
class Parting:
    """Place of an answer at which it must go another way than it did.

    In tokens, what both answers begin with belongs to the prompt, and the target is what the new
    one goes on with (EDAPIBench's idea, arXiv 2511.21022: a prompt up to the call).

    Attributes:
        old, new: the answer as it was and as it should be, both behind the prompt.
        end: characters of `new` through which the target goes.
    """

    old: str
    new: str
    end: int


@dataclass(frozen=True, slots=True)
class EditRequest:
    """Request for an edit: the perturbed prompt should be answered as the clean one is.

    Attributes:
        task: the task that is edited for; never scored for generalisation.
        clean, perturbed: its prompt without and with the perturbation.
        perturbation: the name of the perturbation ("C1").
        target: the continuation that the perturbed prompt should have; None is the greedy
            continuation of the clean prompt by the model itself.
        seed: the seed the perturbed prompt was drawn with.
        parting: takes the place of `target`, and goes on the prompt up to where answers part.
    """

    task: Task
    clean: str
    perturbed: str
    perturbation: str
    target: str | None = None
    seed: int = 0
    parting: Parting | None = None

    @property
    def states_target(self) -> bool:
        """Whether it says what should be written, and leaves nothing to the model."""
        return self.target is not None or self.parting is not None

    @property
    def label(self) -> str:
        """Name of the request, as in a test id: "HumanEval/3[C1-s0]"."""
        return f"{self.task.id}[{Cell(self.perturbation, self.seed).label}]"

    @property
    def digest(self) -> str:
        """Digest of everything in the request that an edit depends on."""
        parts = (self.clean, self.perturbed, self.target, self.task.language)
        more = () if self.parting is None else (astuple(self.parting),)
        return digest("request", self.task.id, self.perturbation, self.seed, *parts, *more)
