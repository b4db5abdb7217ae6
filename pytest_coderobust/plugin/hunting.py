"""`--hunt`: after the tests, search the smallest breaking prompt of every solved task."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_coderobust.engine.budget import Budget, parse_budget
from pytest_coderobust.errors import CodeRobustError
from pytest_coderobust.hunt.candidates import list_members
from pytest_coderobust.hunt.failure import Failure, mark_fixed
from pytest_coderobust.hunt.handoff import make_hypothesis_report
from pytest_coderobust.hunt.hunt import Hunt, Hunted
from pytest_coderobust.hunt.store import FOLDER, Failures
from pytest_coderobust.hunt.tally import SuiteHunt
from pytest_coderobust.plugin.outcome import Findings
from pytest_coderobust.plugin.session import CodeRobust
from pytest_coderobust.records import Observation, Status, Task

SOLVED = (Status.SOLVED, Status.ROBUST, Status.BROKEN)
DEFAULT = ("mix_all",)
EXAMPLES = Path(".coderobust") / "hypothesis"
"""Hypothesis' example databases, one for each failure: its keys would be the same for all."""


def hunt_all(state: CodeRobust, findings: Findings) -> list[SuiteHunt]:
    """Hunts on every suite of the session; trouble is told among the findings' errors.

    The budget is shared: the next suite has what the one before left of its completions.
    """
    budget = parse_budget(state.choices.budget) if state.choices.budget else Budget()
    done: list[SuiteHunt] = []
    for report in findings.reports:
        run, reference = report.run, report.origin.reference
        solved = solved_tasks(run.observations)
        if not solved:
            continue
        try:
            hunt = hunt_suite(state, reference, solved, budget)
        except CodeRobustError as error:
            findings.errors.append(f"hunt on {run.suite}: {error}")
            continue
        done.append(hunt)
        if budget.completions is not None:
            spent = sum(each.spent.completions for each in hunt.hunted)
            budget = replace(budget, completions=max(0, budget.completions - spent))
    return done


def hunt_suite(
    state: CodeRobust, reference: str, solved: Iterable[str], budget: Budget
) -> SuiteHunt:
    """Hunts on the solved tasks of a suite; each failure is written as soon as it is found."""
    plan = state.plan(reference)
    tasks = [plan.tasks[task] for task in dict.fromkeys(solved)]
    names = plan.config.perturbations or DEFAULT
    store = Failures(state.root / FOLDER)
    known = store.read(reference, [task.id for task in tasks])
    hunt = Hunt(
        state.unedited(reference),
        state.ledger,
        reference,
        names,
        budget,
        reproduce=lambda task: reproduce(state, reference, task),
        listen=state.listen,
    )
    drawn_from, notes = list_members(names)
    hunted: list[Hunted] = []
    files: dict[str, str] = {}
    try:
        for bare in hunt.run(tasks, known):
            each = reported(bare, drawn_from, plan.tasks[bare.task_id], state)
            hunted.append(each)
            for failure in kept(each, state):
                files[failure.id] = store.write(failure).relative_to(state.root).as_posix()
    except KeyboardInterrupt:
        notes = (*notes, f"interrupted: {len(tasks) - len(hunted)} tasks were not hunted to an end")
    return SuiteHunt(reference, state.model, names, tuple(hunted), files, (*notes, *store.trouble))


def reported(hunted: Hunted, names: Sequence[str], task: Task, state: CodeRobust) -> Hunted:
    """The same with Hypothesis' report of the minimum, which its database then holds too."""
    failure = hunted.failure
    if failure is None:
        return hunted
    database = state.root / EXAMPLES / failure.id
    report = make_hypothesis_report(failure, names, task.canonical or "", database)
    return replace(hunted, failure=replace(failure, report=report))


def kept(hunted: Hunted, state: CodeRobust) -> list[Failure]:
    """What a task's hunt writes: its failure, and those of earlier hunts that are fixed now."""
    found = [hunted.failure] if hunted.failure is not None else []
    model = state.backend.identity
    return found + [mark_fixed(old, model) for old, fails in hunted.replayed if not fails]


def solved_tasks(observations: Iterable[Observation]) -> list[str]:
    """The tasks whose clean prompt the model solves, in order of the plan."""
    return list(dict.fromkeys(each.task_id for each in observations if each.status in SOLVED))


def reproduce(state: CodeRobust, reference: str, task: str) -> str:
    """The command that hunts on one task again, its known failure first; "" for suites that
    have no file."""
    if not reference.endswith(".toml"):
        return ""
    return state.command(f"{reference}::{task}[clean]", "--coderobust-hunt")
