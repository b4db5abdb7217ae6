"""`hunt`: the smallest prompt that breaks each task, in one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.door.keywords import refuse_unknown
from pytest_coderobust.engine.budget import parse_budget
from pytest_coderobust.engine.events import Listener, silent
from pytest_coderobust.hunting.hunt import Hunted
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.session.choices import ModelKeywords, spell_for_python
from pytest_coderobust.session.hunting import DEFAULT, find_breaking_prompt
from pytest_coderobust.session.values import read_names

if TYPE_CHECKING:
    from typing_extensions import Unpack


def hunt(
    suite: str | Path,
    model: str | Path | Backend,
    tasks: str | Iterable[str] | None = None,
    *,
    perturb: str | Sequence[str] = DEFAULT,
    budget: str | int | None = None,
    ledger: str | Path | None = None,
    listen: Listener = silent,
    **options: Unpack[ModelKeywords],
) -> tuple[Hunted, ...]:
    """Hunts for the smallest prompt that breaks each task which the model solves.

        (hunted,) = hunt("quickstart", "tiny", "quickstart/1")
        print(hunted.failure.broken.prompt)

    Args:
        suite: a suite's TOML file, or a data set's name (sampled greedily).
        model: a name as for `--model`, or a backend, which is left open.
        tasks: task ids; every task of the suite when left out.
        perturb: perturbations whose edits may break a prompt.
        budget: a time ("30m"), completions (5000), or money or tokens of a served model; at most
            200 completions a task in any case.
        ledger: where completions and verdicts are kept; forgotten when left out.
        options: how the model is opened and solutions are judged, as in `run`.

    Returns:
        One result for each task, in the order in which they came to an end.

    Raises:
        CodeRobustError: the model, the suite, a task or a perturbation cannot be used.
    """
    refuse_unknown(hunt, options, ModelKeywords.__annotations__)
    return find_breaking_prompt(
        str(model) if isinstance(model, (str, Path)) else model,
        suite,
        tasks,
        perturbations=read_names(spell_for_python("perturb"), perturb) or DEFAULT,
        budget=None if budget is None else parse_budget(str(budget)),
        ledger=None if ledger is None else Path(ledger),
        listen=listen,
        **options,
    )
