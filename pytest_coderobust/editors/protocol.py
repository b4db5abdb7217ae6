"""The seam every editor stands behind: requests in, a change out; the change goes in and comes out.

An editor computes a `ModelChange`; `edited_model.applied` puts a change into a model and yields an
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
"""What an edit tells of itself (layer, losses, steps): JSON-able, in the order it is shown."""


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

    def rewrite(self, variants: Sequence[Variant], access: Access) -> list[str]:
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
