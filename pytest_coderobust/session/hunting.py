"""Hunts of a session: `find_breaking_prompt` as one call, and the hunt on a whole suite."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.config.suite import SuiteConfig, make_named_suite, read_suite
from pytest_coderobust.engine.budget import EACH, Budget
from pytest_coderobust.engine.events import Listener, silent
from pytest_coderobust.engine.spending import BudgetSpent
from pytest_coderobust.errors import DataError, nearest
from pytest_coderobust.hunting.candidates import list_members
from pytest_coderobust.hunting.failure import Failure, mark_fixed
from pytest_coderobust.hunting.handoff import make_hypothesis_report
from pytest_coderobust.hunting.hunt import Hunt, Hunted
from pytest_coderobust.hunting.panel import Confirm
from pytest_coderobust.hunting.store import FOLDER, Failures
from pytest_coderobust.hunting.tally import SuiteHunt
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.records import Observation, Status, Task
from pytest_coderobust.session.choices import ModelKeywords, make_choices, spell_for_python
from pytest_coderobust.session.session import Session, open_session

if TYPE_CHECKING:
    from typing_extensions import Unpack

SOLVED = (Status.SOLVED, Status.ROBUST, Status.BROKEN)
DEFAULT = ("mix_all",)
EXAMPLES = Path(".coderobust") / "hypothesis"
"""Hypothesis' example databases, one for each failure: its keys would be the same for all."""


def find_breaking_prompt(
    model: str | Backend,
    suite: str | Path | SuiteConfig,
    tasks: str | Iterable[str] | None = None,
    *,
    perturbations: Sequence[str] = DEFAULT,
    completions: int = EACH,
    budget: Budget | None = None,
    confirm: Confirm | None = None,
    known: Sequence[Failure] = (),
    ledger: Path | None = None,
    listen: Listener = silent,
    **options: Unpack[ModelKeywords],
) -> tuple[Hunted, ...]:
    """The smallest breaking prompt of each task that the model solves.

        (hunted,) = find_breaking_prompt("tiny", "quickstart", "quickstart/3")
        print(hunted.failure.broken.prompt)

    Args:
        model: a name as for `--model`, one of `[tool.coderobust.models]` too, or a backend, which
            is left open.
        suite: a suite file, or a data set's name (sampled greedily).
        tasks: task ids; every task of the suite when left out.
        completions: the most completions for each task; `budget` says more.
        confirm: how often a model that samples is asked again (default 2 of 3).
        known: failures of earlier hunts, tried first.
        ledger: where completions and verdicts are kept; forgotten when left out.
        options: how the model is opened (`device`, `dtype`, `batch_size`, ...), and the sandbox.

    Returns:
        One result for each task, in the order in which they came to an end.

    Raises:
        CodeRobustError: the model, the suite, a task or a perturbation cannot be used.
    """
    if unknown := set(options) - set(ModelKeywords.__annotations__):
        raise TypeError(
            f"find_breaking_prompt() got an unexpected keyword argument {min(unknown)!r}"
        )
    config = _read_config(suite)
    config = replace(config, edit=replace(config.edit, editors=()))  # it hunts on the model itself
    with ExitStack() as stack:
        folder = ledger or Path(stack.enter_context(tempfile.TemporaryDirectory())) / "ledger"
        named = model if isinstance(model, str) else None
        choices = make_choices({**options, "model": named, "ledger": folder}, spell_for_python)
        start = config.path.parent if config.path.is_file() else Path.cwd()
        backend = None if isinstance(model, str) else model
        session = stack.enter_context(
            open_session(choices, start, label=spell_for_python, backend=backend)
        )
        session.listeners.append(listen)
        name = suite.name if isinstance(suite, SuiteConfig) else str(suite)
        opened = session.suite(name, config)
        chosen = _choose_tasks(opened.plan.tasks, tasks, config)
        measurement = opened.single
        unusable = measurement.selfcheck().unusable
        hunt = Hunt(
            measurement,
            session.ledger,
            name,
            tuple(perturbations),
            budget or Budget(completions),
            confirm or Confirm(),
            listen=session.listen,
        )
        usable = [opened.plan.tasks[task] for task in chosen if task not in unusable]
        found = tuple(hunt.run(usable, known))
        session.finish()
        return found


def hunt_suite(
    session: Session, reference: str, solved: Iterable[str], budget: Budget
) -> SuiteHunt:
    """Hunts on the solved tasks of a suite; each failure is written as soon as it is found.

    A served model is looked at before anything is kept or told of its answers.

    Raises:
        CodeRobustError: the harness failed, or another model answers.
    """
    suite = session.suite(reference)
    plan = suite.plan
    tasks = [plan.tasks[task] for task in dict.fromkeys(solved)]
    names = plan.config.perturbations or DEFAULT
    store = Failures(session.root / FOLDER)
    known = store.read(reference, [task.id for task in tasks])
    measurement = suite.single
    hunt = Hunt(
        measurement,
        session.ledger,
        reference,
        names,
        budget,
        reproduce=lambda task: hunt_command(session, reference, task),
        listen=session.listen,
    )
    drawn_from, notes = list_members(names)
    hunted: list[Hunted] = []
    files: dict[str, str] = {}
    try:
        for bare in hunt.run(tasks, known):
            if bare.failure is not None or bare.replayed:
                session.finish()
            each = _add_report(bare, drawn_from, plan.tasks[bare.task_id], session)
            hunted.append(each)
            for failure in _list_failures(each, session):
                files[failure.id] = store.write(failure).relative_to(session.root).as_posix()
    except (KeyboardInterrupt, BudgetSpent) as error:
        why = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error)
        notes = (*notes, f"{why}: {len(tasks) - len(hunted)} tasks were not hunted to an end")
        if isinstance(error, BudgetSpent):
            session.finish()
    else:
        session.finish()
    return SuiteHunt(
        reference,
        session.model,
        names,
        tuple(hunted),
        files,
        (*notes, *store.trouble),
        measurement.tell_threads(measurement.run),
    )


def list_solved(observations: Iterable[Observation]) -> list[str]:
    """The tasks whose clean prompt the model solves, in order of the plan."""
    return list(dict.fromkeys(each.task_id for each in observations if each.status in SOLVED))


def hunt_command(session: Session, reference: str, task: str) -> str:
    """The command that hunts on one task again, its known failure first; "" for suites that
    have no file."""
    if not reference.endswith(".toml"):
        return ""
    return session.command(f"{reference}::{task}[clean]", "--coderobust-hunt")


def _add_report(hunted: Hunted, names: Sequence[str], task: Task, session: Session) -> Hunted:
    """The same with Hypothesis' report of the minimum, which its database then holds too."""
    failure = hunted.failure
    if failure is None:
        return hunted
    database = session.root / EXAMPLES / failure.id
    report = make_hypothesis_report(failure, names, task.canonical or "", database)
    return replace(hunted, failure=replace(failure, report=report))


def _list_failures(hunted: Hunted, session: Session) -> Iterator[Failure]:
    """The failure of a task's hunt, and those of earlier hunts that are fixed now."""
    if hunted.failure is not None:
        yield hunted.failure
    model = session.backend.identity
    yield from (mark_fixed(old, model) for old, fails in hunted.replayed if not fails)


def _read_config(suite: str | Path | SuiteConfig) -> SuiteConfig:
    if isinstance(suite, SuiteConfig):
        return suite
    if str(suite).endswith(".toml"):
        return read_suite(Path(suite))
    return replace(make_named_suite(str(suite), Path.cwd()), name=str(suite))


def _choose_tasks(
    known: Iterable[str], wanted: str | Iterable[str] | None, config: SuiteConfig
) -> list[str]:
    ids = list(known)
    if wanted is None:
        return ids
    chosen = [wanted] if isinstance(wanted, str) else list(wanted)
    for task in chosen:
        if task not in ids:
            raise DataError(f"{config.name}: no task {task!r}{nearest(task, ids)}")
    return chosen
