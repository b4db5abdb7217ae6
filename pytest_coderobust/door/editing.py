"""`edited`: a model under an edit, for the time of a block."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.door.keywords import refuse_unknown
from pytest_coderobust.door.opening import open_session
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.session.choices import ModelKeywords

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from pytest_coderobust.editors.edited_model import EditedBackend
    from pytest_coderobust.editors.protocol import EditRequest


@contextmanager
def edited(
    model: str | Path | Backend,
    edit: str,
    *requests: EditRequest,
    **options: Unpack[ModelKeywords],
) -> Generator[EditedBackend]:
    """Context of a model edited for all requests at once; restored bit for bit on leaving.

        with edited(model, "rome:layer=1", request) as repaired:
            result = run("suite.toml", repaired)

    Args:
        model: a name as for `--model`, or a backend with weights, which is left open.
        edit: an editor with its options, as for `--edit`, or the folder of a saved edit, which
            takes no request.
        options: how a model that is named is opened (`device`, `dtype`, ...).

    Raises:
        UsageError: no such model, editor, option or folder, or no request for an editor.
        ModelError: the edit cannot be made.
        EditRefused: the editor does not edit for a request, or the edit changes nothing.
    """
    from pytest_coderobust.editors import edited_model
    from pytest_coderobust.editors.identity import require_weights
    from pytest_coderobust.editors.registry import SavedSpec, parse_edit
    from pytest_coderobust.editors.saved_edits import saved_edit

    refuse_unknown(edited, options, ModelKeywords.__annotations__)
    spec = parse_edit(edit)
    with ExitStack() as stack:
        if isinstance(model, (str, Path)):
            backend = stack.enter_context(open_session(model, **options)).backend
        else:
            backend = model
        base = require_weights(backend, spec.label, "edit ")
        if isinstance(spec, SavedSpec):
            yield stack.enter_context(saved_edit(spec, base))
        else:
            yield stack.enter_context(edited_model.edited(base, spec, requests))
