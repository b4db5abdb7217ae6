"""The seam every editor stands behind: requests in, a change out; the change goes in and comes out.

An editor computes a `Change`; `edited.applied` puts a change into a model and yields an
`EditedBackend`; on leaving, the model is what it was, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pytest_coderobust.models.backend import Backend
from pytest_coderobust.records import Cell, Completion, Row, Sampling, Task, Variant, digest

if TYPE_CHECKING:
    import torch

    from pytest_coderobust.editors.access import Access
    from pytest_coderobust.models.loaded import Loaded

Facts = Mapping[str, object]
"""What an edit tells of itself (layer, losses, steps): JSON-able, in the order it is shown."""

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


class Weighted(Backend, Protocol):
    """A backend that has weights to edit: `HFBackend`, or the edited one on top of it."""

    @property
    def checkpoint_digest(self) -> str:
        """What an edit was made for: weights (edits included), tokenizer, configuration."""
        ...

    @property
    def depth(self) -> int | None:
        """The number of its layers, read without loading it; None where that is not known."""
        ...

    def load(self) -> Loaded:
        """The model in memory, loaded once."""
        ...

    def encode(self, prompt: str, language: str) -> list[int]:
        """The token ids of a prompt as the network gets them."""
        ...

    def answer(
        self, rows: Sequence[Row], sampling: Sampling, loaded: Loaded
    ) -> Sequence[Completion]:
        """Answers with the weights in `loaded`, whatever edits are in force."""
        ...

    def computing(self, loaded: Loaded) -> AbstractContextManager[None]:
        """The threads and the silence that the network runs under."""
        ...


class ModelChange(Protocol):
    """What an editor found: weights, a codebook, an adapter, or another way to write prompts."""

    @property
    def kind(self) -> str:
        """A name for how it is saved: "weights", "codebook", "adapter", "prompts", or another."""
        ...

    @property
    def facts(self) -> Facts: ...

    def installed(self, access: Access) -> AbstractContextManager[Facts]:
        """Puts the change into the model, and takes it out again without a trace.

        Yields what only the model can tell ("drift": the norm of the change over the norm of
        what it changed).

        Raises:
            ModelError: the model does not fit, or the change leaves every weight as it was.
        """
        ...

    def rewritten(self, variants: Sequence[Variant], access: Access) -> list[str]:
        """The prompt that the changed model is shown for each variant; most changes keep it."""
        ...

    def tensors(self) -> Mapping[str, torch.Tensor]:
        """What is saved, by name; `facts` holds the rest."""
        ...


class Editor(Protocol):
    """A method with its options."""

    def compute(
        self, access: Access, requests: Sequence[EditRequest], so_far: ModelChange | None = None
    ) -> ModelChange:
        """The change that fulfils the requests, one after the other.

        Args:
            access: the model; it holds `so_far` already, and is left as it was found.
            so_far: the change that earlier requests made; the result contains it.

        Raises:
            UsageError: an option does not fit the model (a layer out of range).
            ModelError: the model lacks the modules, or the method diverged.
        """
        ...
