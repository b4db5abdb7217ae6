"""`find_breaking_prompt`: the hunt as one call, for notebooks and scripts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from pytest_coderobust.config.suite import SuiteConfig, make_named_suite, read_suite
from pytest_coderobust.engine.budget import EACH, Budget
from pytest_coderobust.engine.completions import CompletionStore
from pytest_coderobust.engine.events import Listener, silent
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.engine.plan import read_plan
from pytest_coderobust.engine.verdicts import VerdictStore
from pytest_coderobust.errors import DataError, nearest
from pytest_coderobust.hunt.failure import Failure
from pytest_coderobust.hunt.hunt import Hunt, Hunted
from pytest_coderobust.hunt.panel import Confirm
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.sandbox import open_sandbox


def find_breaking_prompt(
    model: str | Backend,
    suite: str | Path | SuiteConfig,
    tasks: str | Iterable[str] | None = None,
    *,
    perturbations: Sequence[str] = ("mix_all",),
    completions: int = EACH,
    budget: Budget | None = None,
    confirm: Confirm | None = None,
    known: Sequence[Failure] = (),
    ledger: Path | None = None,
    sandbox_workers: int | None = None,
    listen: Listener = silent,
) -> tuple[Hunted, ...]:
    """The smallest breaking prompt of each task that the model solves.

        (hunted,) = find_breaking_prompt("tiny", "quickstart", "quickstart/3")
        print(hunted.failure.broken.prompt)

    Args:
        model: a name as for `--model`, or a backend, which is left open.
        suite: a suite file, or a data set's name (sampled greedily).
        tasks: task ids; every task of the suite when left out.
        completions: the most completions for each task; `budget` says more.
        confirm: how often a model that samples is asked again (default 2 of 3).
        known: failures of earlier hunts, tried first.
        ledger: where completions and verdicts are kept; forgotten when left out.

    Returns:
        One result for each task, in the order in which they came to an end.

    Raises:
        CodeRobustError: the model, the suite, a task or a perturbation cannot be used.
    """
    config = _config(suite)
    plan = read_plan(config)
    chosen = _chosen(plan.tasks, tasks, config)
    with ExitStack() as stack:
        backend = open_backend(model) if isinstance(model, str) else model
        if isinstance(model, str):
            stack.callback(backend.close)
        folder = ledger or Path(stack.enter_context(tempfile.TemporaryDirectory())) / "ledger"
        store = Ledger(folder)
        stack.callback(store.close)
        judge = VerdictStore(open_sandbox(sandbox_workers), store, listen)
        stack.callback(judge.close)
        measuring = Measurement(plan, CompletionStore(backend, store, listen), judge, store, listen)
        unusable = measuring.selfcheck().unusable
        hunt = Hunt(
            measuring,
            store,
            _name(suite),
            tuple(perturbations),
            budget or Budget(completions),
            confirm or Confirm(),
            listen=listen,
        )
        usable = [plan.tasks[task] for task in chosen if task not in unusable]
        return tuple(hunt.run(usable, known))


def _config(suite: str | Path | SuiteConfig) -> SuiteConfig:
    if isinstance(suite, SuiteConfig):
        return suite
    if str(suite).endswith(".toml"):
        return read_suite(Path(suite))
    return replace(make_named_suite(str(suite), Path.cwd()), name=str(suite))


def _name(suite: str | Path | SuiteConfig) -> str:
    return suite.name if isinstance(suite, SuiteConfig) else str(suite)


def _chosen(
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
