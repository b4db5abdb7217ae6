"""Identity of an edited model: its name, and the digest under which its answers are stored.

Nothing here imports torch, so a run can tell that all its answers are stored before it edits.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_coderobust.editors.protocol import EditRequest, Weighted
from pytest_coderobust.editors.registry import EditorSpec
from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.records import ModelIdentity, digest


def require_weights(backend: Backend, label: str, where: str = "--edit ") -> Weighted:
    """Returns the backend if it can be edited.

    Args:
        where: stands before the label in messages.

    Raises:
        UsageError: it is a recording, an oracle, or a base with an adapter on top.
    """
    if not (hasattr(backend, "load") and hasattr(backend, "answer")):
        raise UsageError(
            f"{where}{label}: model {backend.identity.name!r} has no weights to edit; "
            "an edit needs a checkpoint, such as 'tiny'"
        )
    if getattr(getattr(backend, "checkpoint", None), "adapter", None) is not None:
        raise UsageError(
            f"{where}{label}: model {backend.identity.name!r} is a base with an adapter on top; "
            "merge the two into one checkpoint to edit it"
        )
    return backend  # type: ignore[return-value]


def edited_identity(
    below: ModelIdentity,
    spec: EditorSpec,
    requests: Sequence[EditRequest],
    sizes: Sequence[int] = (),
) -> ModelIdentity:
    """Makes the identity of a model that a spec edits; nothing is computed for it.

    An edit follows from model, method, options and requests, so their digest identifies it.

    Args:
        sizes: of batches that were written one after the other, each of which must move its
            targets; none where each request came alone, or all together.
    """
    parts: list[object] = [spec.digest, [request.digest for request in requests]]
    if sizes:
        parts.append(["batches", *sizes])
    label = f"{spec.label} for {_join_labels(requests)}"
    return stacked_identity(below, digest("edit", *parts), label)


def placebo_identity(edited: ModelIdentity, seed: int) -> ModelIdentity:
    """Makes the identity of an edit's placebo; nothing is computed for it."""
    name = digest("placebo", edited.digest, seed)
    return ModelIdentity(edited.name, name, {**edited.facts, "placebo": str(seed)})


def stacked_identity(below: ModelIdentity, edit_digest: str, label: str) -> ModelIdentity:
    """Makes the identity of a model under one more edit."""
    edits = "; ".join(filter(None, (below.facts.get("edits", ""), label)))
    return ModelIdentity(
        below.name,
        digest("edited", below.digest, edit_digest),
        {**below.facts, "edits": edits},
    )


def _join_labels(requests: Sequence[EditRequest]) -> str:
    labels = [request.label for request in requests]
    return ", ".join(labels) if len(labels) <= 3 else f"{labels[0]} and {len(labels) - 1} more"
