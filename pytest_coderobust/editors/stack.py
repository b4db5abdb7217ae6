"""Checks of a stack of edits: which editors go together, in which regime, on which model."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_coderobust.config.edits import EditConfig
from pytest_coderobust.editors.multilayer_options import parse_layers
from pytest_coderobust.editors.protocol import Weighted
from pytest_coderobust.editors.registry import EditorSpec, SavedSpec
from pytest_coderobust.errors import UsageError


def check_stack(specs: Sequence[EditorSpec | SavedSpec], config: EditConfig, where: str) -> None:
    """Refuses stacks that no regime allows.

    Raises:
        UsageError: successive edits take one editor, and a saved edit must be the first.
    """
    saved = [place for place, spec in enumerate(specs) if isinstance(spec, SavedSpec)]
    if config.regime == "successive" and (len(specs) > 1 or saved):
        raise UsageError(
            f"{where}: successive edits take one editor, which must not be a saved edit"
        )
    if any(place > 0 for place in saved):
        raise UsageError(f"{where}: a saved edit must be the first of the stack")
    if saved and len(specs) > 1:
        raise UsageError(f"{where}: a saved edit is applied to every item and takes no other edit")


def check_model(specs: Sequence[EditorSpec | SavedSpec], backend: Weighted) -> None:
    """Refuses layers that a model does not have, and edits saved for another; nothing is loaded.

    Raises:
        UsageError: there is no such layer.
        ModelError: the checkpoint cannot be had, or a saved edit is another model's.
        DataError: a saved edit cannot be read.
    """
    from pytest_coderobust.editors.saved_edits import record_for

    for spec in specs:
        if isinstance(spec, SavedSpec):
            record_for(spec, backend)
            continue
        layers = getattr(spec.options, "layers", None)
        if isinstance(layers, str) and layers:
            try:
                parse_layers(layers, backend.depth, backend.identity.name)
            except UsageError as error:
                raise UsageError(f"--edit {spec.label}: {error}") from None
            continue
        layer = getattr(spec.options, "layer", None)
        depth = backend.depth if layer is not None else None
        if layer is not None and depth is not None and layer >= depth:
            raise UsageError(
                f"--edit {spec.label}: layer {layer} is out of range: model "
                f"{backend.identity.name!r} has layers 0 to {depth - 1}"
            )
