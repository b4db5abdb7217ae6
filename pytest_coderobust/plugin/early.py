"""`--coderobust-early` and the `--budget` of a run: what of a suite is not asked, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict

import pytest

from pytest_coderobust.errors import UsageError
from pytest_coderobust.plugin.choices import Choices
from pytest_coderobust.records import Cell

if TYPE_CHECKING:
    from pytest_coderobust.engine.budget import Allowance
    from pytest_coderobust.engine.early import Asked, WaveLook
    from pytest_coderobust.engine.measurement import Measurement
    from pytest_coderobust.plugin.session import CodeRobust
    from pytest_coderobust.records import Observation, Square

UNASKED = "coderobust_unasked"

WHOLE_ONLY = {
    "baseline": "--baseline compares whole runs",
    "noise_floor": "--noise-floor asks every clean prompt again",
    "hunt": "--hunt searches every solved task",
    "strict": "--coderobust-strict wants the outcome of every item",
    "edit": "--edit makes several models",
}
"""Choices under which nothing may be left out, with the reason."""


class Unasked(TypedDict):
    """One square that was not asked, as it travels in a test report."""

    suite: str
    run: str
    task: str
    perturbation: str
    seed: int
    why: str


def check_early(choices: Choices) -> None:
    """Refuses choices that contradict each other.

    Raises:
        pytest.UsageError: the run may not end early, or its budget bounds nothing.
    """
    if choices.early and (why := whole_because(choices)):
        raise pytest.UsageError(
            f"--coderobust-early leaves out what decides no gate, and {why}: leave one out"
        )
    if choices.early and not choices.gates:
        raise pytest.UsageError(
            "--coderobust-early settles gates, and --coderobust-no-gates has none: leave one out"
        )
    if choices.budget is not None and not choices.hunt:
        for name in ("noise_floor", "edit"):
            if getattr(choices, name):
                raise pytest.UsageError(
                    f"--budget bounds the run of a suite, and {WHOLE_ONLY[name]}: leave one out"
                )


def whole_because(choices: Choices) -> str:
    """Why nothing may be left out, or ""."""
    return next((why for name, why in WHOLE_ONLY.items() if getattr(choices, name)), "")


def check_suite(state: CodeRobust, reference: str) -> None:
    """Refuses a suite that cannot be asked in waves where the command line says so.

    Raises:
        UsageError: it edits its model.
    """
    if not state.plan(reference).config.edit.editors:
        return
    for chosen, name in ((state.choices.early, "--coderobust-early"), (bounded(state), "--budget")):
        if chosen:
            raise UsageError(f"{name} is for the run of one model, and [edit] makes several")


def bounded(state: CodeRobust) -> bool:
    """Whether there is a budget, and it is the run's."""
    return state.choices.budget is not None and not state.choices.hunt


def may_settle(state: CodeRobust, reference: str) -> bool:
    """Whether what decides no gate may be left out of a suite."""
    config = state.plan(reference).config
    if not (config.early or state.choices.early) or not state.choices.gates:
        return False
    plan = state.plan(reference)
    selected = set(state.wanted.get(reference, ()))
    whole = len(selected) == len(plan.tasks) * len(plan.cells)
    return whole and not whole_because(state.choices) and not config.edit.editors


def note_on(state: CodeRobust, reference: str) -> str:
    """Why a suite that may end early did not, where that is not for its gates to say; or ""."""
    config = state.plan(reference).config
    if not (config.early or state.choices.early):
        return ""
    if why := whole_because(state.choices):
        return f"everything was asked: {why}"
    return "" if config.gates else "everything was asked: there is no gate to settle"


def in_waves(state: CodeRobust, reference: str) -> bool:
    """Whether a suite is asked in waves; tests of the user's own ask what they like."""
    return reference not in state.own and (bounded(state) or may_settle(state, reference))


def unasked(state: CodeRobust, reference: str, square: Square) -> Unasked | None:
    """That a square of a suite is not asked; None where it is.

    Raises:
        CodeRobustError: the harness failed.
    """
    if not in_waves(state, reference):
        return None
    if reference not in state.asked:
        # A budget is for all suites, so those before come first, in every process.
        for each in [*state.wanted] if bounded(state) else [reference]:
            if each not in state.asked and in_waves(state, each):
                state.asked[each] = ask(state, each)
            if each == reference:
                break
    why = state.asked[reference].unasked.get(square)
    if why is None:
        return None
    task, cell = square
    run = state.suite(reference).run
    return Unasked(
        suite=reference,
        run=run,
        task=task,
        perturbation=cell.perturbation,
        seed=cell.seed,
        why=why,
    )


def ask(state: CodeRobust, reference: str) -> Asked:
    """Asks a suite as far as it goes; what the ledger has is read."""
    from pytest_coderobust.engine.early import ask_in_waves

    measuring = state.unedited(reference)
    measuring.want(())  # each wave is a window of its own
    look = look_of(state, reference, measuring)
    return ask_in_waves(measuring, state.wanted[reference], look, allowance(state))


def look_of(state: CodeRobust, reference: str, measuring: Measurement) -> WaveLook:
    """What says after each wave which cells are wanted of the next."""
    plan = measuring.plan
    if not may_settle(state, reference):
        return lambda _tasks, _found: plan.cells
    from pytest_coderobust.gates.watch import GateWatch, Planned

    planned = Planned(
        len(plan.tasks), plan.cells, plan.levels, plan.config.ks, measuring.sampling.n
    )
    panel = GateWatch(state.gates(reference), planned)

    def look(tasks: Sequence[str], found: Mapping[Square, Observation]) -> Collection[Cell]:
        panel.take(tasks, found)
        return panel.needed

    return look


def allowance(state: CodeRobust) -> Allowance:
    """What is left of the session's budget; no limit where there is none."""
    if state.allowance is None:
        from pytest_coderobust.engine.budget import Allowance, parse_budget

        budget = parse_budget(state.choices.budget or "") if bounded(state) else None
        seconds = budget.seconds if budget else None
        state.allowance = Allowance(
            budget.completions if budget else None,
            None if seconds is None else state.started + seconds,
        )
    return state.allowance


def skip_reason(state: CodeRobust, unasked: Unasked) -> str:
    """What pytest says about an item that is not asked."""
    reference = unasked["suite"]
    asked = state.asked[reference].tasks[Cell(unasked["perturbation"], unasked["seed"])]
    ending = "settled" if unasked["why"] == "settled" else "the budget was spent"
    return f"not asked: {ending} after {asked} of {len(state.plan(reference).tasks)} tasks"
