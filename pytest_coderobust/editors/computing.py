"""Computing of changes: by an editor, on the model with the changes so far, with its cost."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.fit import FitChange, compare_fit, measure_fit
from pytest_coderobust.editors.memory import resource_use, run_in_memory
from pytest_coderobust.editors.protocol import Editor, EditRequest, ModelChange
from pytest_coderobust.editors.registry import EditorSpec, open_editor
from pytest_coderobust.errors import EditRefused


@dataclass(frozen=True, slots=True)
class EditCost:
    """Time and memory that making an edit took; None where it was loaded or is not measurable."""

    seconds: float | None = None
    peak_bytes: int | None = None


def compute_change(
    access: Access,
    spec: EditorSpec,
    requests: Sequence[EditRequest],
    so_far: ModelChange | None,
    *,
    must_move: bool = False,
    editor: Editor | None = None,
) -> tuple[ModelChange, EditCost, FitChange | None]:
    """Computes the change of a spec and its cost; leaves the model as it was.

    Args:
        editor: the editor of the spec, where it was opened and prepared before.

    Raises:
        UsageError, ModelError: the change cannot be made.
        EditRefused: the editor does not edit for a request, or the edit moves no target.
        MemoryExhausted: memory does not suffice.
    """
    return run_in_memory(
        lambda: _compute(
            access, spec, editor or open_editor(spec), requests, so_far, must_move=must_move
        ),
        f"{spec.label}: an edit of model {access.name!r}",
    )


def _compute(
    access: Access,
    spec: EditorSpec,
    editor: Editor,
    requests: Sequence[EditRequest],
    so_far: ModelChange | None,
    *,
    must_move: bool,
) -> tuple[ModelChange, EditCost, FitChange | None]:
    measured = must_move and all(request.states_target for request in requests)
    with so_far.installed(access) if so_far is not None else nullcontext():
        before = measure_fit(access, requests) if measured else None
        with resource_use(access.device) as spent, access.frozen_weights():
            if so_far is None:
                change = editor.compute(access, requests)
            else:
                change = editor.compute(access, requests, so_far)
    fit = compare_fit(access, change, requests, before) if before is not None else None
    if fit is not None and not fit.moved:
        raise EditRefused(
            f"{spec.label}: the edit moved nothing: the NLL of its targets was {fit.before:.3g} "
            f"before and is {fit.after:.3g} after"
        )
    return change, EditCost(spent.seconds, spent.peak_bytes), fit
