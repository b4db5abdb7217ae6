"""Which editors may be applied together, and in which regime."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_coderobust.config.editing import EditConfig
from pytest_coderobust.editors.registry import EditorSpec, SavedSpec
from pytest_coderobust.errors import UsageError


def check_stack(specs: Sequence[EditorSpec | SavedSpec], config: EditConfig, where: str) -> None:
    """Refuses stacks that no regime has.

    Raises:
        UsageError: successive edits take one editor, and a saved edit stands first.
    """
    saved = [place for place, spec in enumerate(specs) if isinstance(spec, SavedSpec)]
    if config.regime == "successive" and (len(specs) > 1 or saved):
        raise UsageError(f"{where}: successive edits take one editor, which is no saved edit")
    if any(place > 0 for place in saved):
        raise UsageError(f"{where}: a saved edit must be the first of the stack")
    if saved and len(specs) > 1:
        raise UsageError(f"{where}: a saved edit is applied to every item and takes no other edit")
