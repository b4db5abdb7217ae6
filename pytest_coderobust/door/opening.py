"""Sessions that a script opens itself: one model under one set of choices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.door.keywords import RunKeywords, refuse_unknown
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.session.choices import make_choices, spell_for_python
from pytest_coderobust.session.session import Session
from pytest_coderobust.session.session import open_session as open_chosen

if TYPE_CHECKING:
    from typing_extensions import Unpack


def open_session(
    model: str | Path | Backend,
    *,
    start: str | Path = ".",
    perturb: str | Sequence[str] | None = None,
    edit: str | Sequence[str] = (),
    budget: str | int | None = None,
    ledger: str | Path | None = None,
    **options: Unpack[RunKeywords],
) -> Session:
    """Opens a session in the project that a folder belongs to; nothing heavy loads.

        with open_session("tiny") as session:
            task = session.suite("quickstart").plan.tasks["quickstart/1"]

    Args:
        model: a name as for `--model`, or a backend, which is left open.
        start: the folder of the suites; the project's root above it has ledger and settings.

    Raises:
        UsageError: the model's name or another choice is wrong.
        ConfigError: the project's settings are wrong.
    """
    refuse_unknown(open_session, options, RunKeywords.__annotations__)
    named = str(model) if isinstance(model, (str, Path)) else None
    values = {
        **options,
        "model": named,
        "perturb": perturb,
        "edit": edit,
        "budget": None if budget is None else str(budget),
        "ledger": ledger,
    }
    choices = make_choices(values, spell_for_python)
    backend = None if isinstance(model, (str, Path)) else model
    return open_chosen(choices, Path(start).absolute(), label=spell_for_python, backend=backend)
