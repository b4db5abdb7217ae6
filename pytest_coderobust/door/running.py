"""`run`: a suite on a model in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.config.suite import SuiteConfig
from pytest_coderobust.door.keywords import RunKeywords, refuse_unknown
from pytest_coderobust.door.opening import open_session
from pytest_coderobust.door.suite_result import SuiteResult
from pytest_coderobust.engine.events import Listener
from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.session.running import run_suite
from pytest_coderobust.session.session import Session
from pytest_coderobust.session.suite import SuiteSession

if TYPE_CHECKING:
    from typing_extensions import Unpack


def run(
    suite: str | Path,
    model: str | Path | Backend,
    *,
    perturb: str | Sequence[str] | None = None,
    edit: str | Sequence[str] = (),
    budget: str | int | None = None,
    limit: int | None = None,
    gates: Sequence[str] | None = None,
    ledger: str | Path | None = None,
    listen: Listener | None = None,
    **options: Unpack[RunKeywords],
) -> SuiteResult:
    """Runs a suite on a model, as `pytest SUITE --model MODEL` does, and returns its result.

        result = run("quickstart", "tiny", perturb=["C1", "W2"], limit=20)
        result.metrics["C1"]["rd"]

    Same plan, same ledger, same numbers: a run of pytest goes on where this one was interrupted,
    and the other way round.

    Args:
        suite: a suite's TOML file, or a data set's name ("quickstart", "humaneval").
        model: a name as for `--model`, or a backend, which is left open.
        perturb: perturbations in the place of the suite's own; `[]` is the clean prompts alone.
        edit: edits the model and tests the edited one ("creme", "rome:layer=5", a saved edit's
            folder); several are stacked.
        budget: a time ("30m"), completions (5000), or money or tokens of a served model.
        limit: takes the first tasks alone.
        gates: gates in the place of the suite's own.
        ledger: where completions and verdicts are kept (default: the project's).
        listen: hears the engine's events.
        options: how the model is opened (`device`, `dtype`, `batch_size`, ...), how solutions are
            judged (`sandbox_workers`, `allow_unsafe`), and `early`, `noise_floor`, `quality`,
            `baseline`, `update_baseline`, `no_gates`, as the options of these names.

    Raises:
        UsageError, ConfigError: a choice, the suite or the project's settings are wrong.
        DataError: the tasks cannot be read.
        ModelError: the model cannot be loaded or run, or another one answers.
        SandboxError: no isolation works here.
        LedgerError: the ledger cannot be used.
    """
    refuse_unknown(run, options, RunKeywords.__annotations__)
    file = _find_file(suite)
    session = open_session(
        model,
        start=file.parent if file else ".",
        perturb=perturb,
        edit=edit,
        budget=budget,
        ledger=ledger,
        **options,
    )
    with session:
        if listen is not None:
            session.listeners.append(listen)
        reference = session.refer(file) if file else str(suite)
        changed = _change_suite(session, reference, limit, gates)
        session.suite(reference, changed)
        found = run_suite(session, reference)
        return SuiteResult(
            found.reports[0],
            session.ledger.path.absolute(),
            tuple(found.errors),
            tuple(found.notes),
        )


def _find_file(suite: str | Path) -> Path | None:
    """The suite's file, or None for a data set's name.

    Raises:
        UsageError: there is no such file.
    """
    if not str(suite).endswith(".toml"):
        return None
    file = Path(suite).absolute()
    if not file.is_file():
        raise UsageError(f"{suite}: there is no such suite file; {file.parent} has no {file.name}")
    return file


def _change_suite(
    session: Session, reference: str, limit: int | None, gates: Sequence[str] | None
) -> SuiteConfig | None:
    """The suite under a limit and gates of this call; None where it stays as it is.

    Raises:
        UsageError: the limit is impossible.
    """
    if limit is None and gates is None:
        return None
    if limit is not None and limit < 1:
        raise UsageError(f"limit {limit} must be a whole number from 1")
    config = SuiteSession(session, reference).config
    return replace(
        config,
        limit=config.limit if limit is None else limit,
        gates=config.gates if gates is None else tuple(gates),
    )
