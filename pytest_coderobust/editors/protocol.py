"""Protocols of an editor and of the changes that it makes.

An editor computes a `ModelChange`; `edited_model.changed_model` puts it into a model and yields an
`EditedBackend`; on leaving, the model is what it was, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from pytest_coderobust.editors.request import EditRequest, PassTest
from pytest_coderobust.models.backend import Weighted
from pytest_coderobust.records import Variant

if TYPE_CHECKING:
    import torch

    from pytest_coderobust.editors.access import Access

__all__ = ["EditRequest", "Editor", "Facts", "ModelChange", "PassTest", "Weighted"]

Facts = Mapping[str, object]
"""Facts of an edit (layer, losses, steps), as JSON can hold them, in the order they are shown."""


class ModelChange(Protocol):
    """Change of a model: weights, a codebook, an adapter, or another way to write prompts."""

    @property
    def kind(self) -> str:
        """A name for how it is saved: "weights", "codebook", "adapter", "prompts", or another."""
        ...

    @property
    def facts(self) -> Facts: ...

    def installed(self, access: Access) -> AbstractContextManager[Facts]:
        """Context in which the change is in the model; on leaving, it is gone without a trace.

        Yields the facts that follow from change and model together ("drift": the norm of the change
        over the norm of what it changed).

        Raises:
            ModelError: the model does not fit, or the change leaves every weight as it was.
        """
        ...

    def rewrite(self, variants: Sequence[Variant], access: Access) -> list[str]:
        """Makes the prompt that the changed model sees for each variant; most changes keep it."""
        ...

    def tensors(self) -> Mapping[str, torch.Tensor]:
        """Tensors to be saved, by name; `facts` holds the rest."""
        ...


class Editor(Protocol):
    """Method that changes a model, with its options."""

    def compute(
        self, access: Access, requests: Sequence[EditRequest], so_far: ModelChange | None = None
    ) -> ModelChange:
        """Computes the change that fulfils the requests, one after the other.

        Args:
            access: the model; it holds `so_far` already, and is left as it was found.
            so_far: the change that earlier requests made; the result contains it.

        Raises:
            UsageError: an option does not fit the model (a layer out of range).
            ModelError: the model lacks the modules, or the method diverged.
        """
        ...
