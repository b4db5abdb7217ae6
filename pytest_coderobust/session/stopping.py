"""Early ends: squares that are not asked because gates are settled or a budget is spent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_coderobust.errors import UsageError
from pytest_coderobust.records import Cell
from pytest_coderobust.session.checks import explain_whole
from pytest_coderobust.session.session import Session
from pytest_coderobust.session.suite import SuiteSession

if TYPE_CHECKING:
    from pytest_coderobust.engine.budget import Allowance
    from pytest_coderobust.engine.early import Asked, WaveCutter, WaveLook, Why
    from pytest_coderobust.engine.measurement import Measurement
    from pytest_coderobust.records import Observation, Square


def check_suite(suite: SuiteSession) -> None:
    """Refuses a suite that cannot be asked in waves where the command line says so.

    Raises:
        UsageError: it edits its model.
    """
    config, choices = suite.plan.config, suite.resources.choices
    if choices.shard is not None and (config.edit.editors or config.early):
        key = "[edit] makes a model of" if config.edit.editors else "early = true settles gates on"
        raise UsageError(f"--coderobust-shard measures a part, and {key} the whole: leave one out")
    if not config.edit.editors:
        return
    bounded = choices.budget is not None and not choices.hunt
    for chosen, name in ((choices.early, "--coderobust-early"), (bounded, "--budget")):
        if chosen:
            raise UsageError(f"{name} is for the run of one model, and [edit] makes several")


def is_bounded(session: Session) -> bool:
    """Whether there is a budget, and it is the run's."""
    return session.choices.budget is not None and not session.choices.hunt


def may_settle(suite: SuiteSession) -> bool:
    """Whether what decides no gate may be left out of a suite."""
    plan, choices = suite.plan, suite.resources.choices
    if not (plan.config.early or choices.early) or not choices.gates:
        return False
    whole = len(set(suite.wanted)) == len(plan.tasks) * len(plan.cells)
    return whole and not explain_whole(choices) and not plan.config.edit.editors


def explain_no_early_end(suite: SuiteSession) -> str:
    """Why a suite that may end early did not, where that is not for its gates to say; or ""."""
    config, choices = suite.plan.config, suite.resources.choices
    if not (config.early or choices.early):
        return ""
    if why := explain_whole(choices):
        return f"everything was asked: {why}"
    return "" if config.gates else "everything was asked: there is no gate to settle"


def is_asked_in_waves(session: Session, suite: SuiteSession) -> bool:
    """Whether a suite is asked in waves; tests of the user's own ask what they like."""
    return not suite.own and (is_bounded(session) or may_settle(suite))


def explain_unasked(session: Session, suite: SuiteSession, square: Square) -> Why | None:
    """Why a square of a suite is not asked; None where it is.

    Raises:
        CodeRobustError: the harness failed.
    """
    if suite.in_waves is None:  # the same for every item, and it counts them all
        suite.in_waves = is_asked_in_waves(session, suite)
    if not suite.in_waves:
        return None
    if suite.asked is None:
        # A budget is for all suites, so those before come first, in every process.
        for each in session.wanted if is_bounded(session) else [suite]:
            if each.asked is None and is_asked_in_waves(session, each):
                each.asked = ask_suite(session, each)
            if each is suite:
                break
    assert suite.asked is not None
    return suite.asked.unasked.get(square)


def ask_suite(session: Session, suite: SuiteSession) -> Asked:
    """Asks a suite as far as it goes; what the ledger has is read."""
    from pytest_coderobust.engine.early import ask_in_waves

    measurement = suite.single
    measurement.want(())  # each wave is a window of its own
    look = make_look(suite, measurement)
    cutter = make_cutter(session, measurement)
    return ask_in_waves(measurement, suite.wanted, look, find_allowance(session), cutter)


def make_cutter(session: Session, measurement: Measurement) -> WaveCutter | None:
    """The waves of a served model; None for any other, whose waves depend on the plan alone."""
    from pytest_coderobust.engine.served_waves import ServedWaves
    from pytest_coderobust.models.backend import find_terms, is_streaming

    if not is_streaming(session.backend):
        return None
    concurrency = find_terms(session.backend).concurrency
    return ServedWaves(measurement, session.ledger, concurrency, session.spending)


def make_look(suite: SuiteSession, measurement: Measurement) -> WaveLook:
    """A function that says after each wave which cells to ask next."""
    plan = measurement.plan
    if not may_settle(suite):
        return lambda _tasks, _found: plan.cells
    from pytest_coderobust.gates.watch import GateWatch, Planned

    planned = Planned(
        len(plan.tasks),
        plan.cells,
        plan.levels,
        plan.config.ks,
        measurement.sampling.n,
        plan.config.train,
    )
    watch = GateWatch(suite.gates, planned)

    def look(tasks: Sequence[str], found: Mapping[Square, Observation]) -> Collection[Cell]:
        watch.take(tasks, found)
        return watch.needed

    return look


def find_allowance(session: Session) -> Allowance:
    """The rest of the session's budget; without a budget it has no limit."""
    if session.allowance is None:
        from pytest_coderobust.engine.budget import Allowance, parse_budget

        budget = parse_budget(session.choices.budget or "") if is_bounded(session) else None
        seconds = budget.seconds if budget else None
        session.allowance = Allowance(
            budget.completions if budget else None,
            None if seconds is None else session.started + seconds,
        )
    return session.allowance


def explain_skip(suite: SuiteSession, cell: Cell, why: Why) -> str:
    """The sentence about an item that is not asked."""
    assert suite.asked is not None
    ending = "settled" if why == "settled" else "the budget was spent"
    return f"not asked: {ending} after {suite.asked.tasks[cell]} of {len(suite.plan.tasks)} tasks"
