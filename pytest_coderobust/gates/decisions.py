"""The decisions on the gates of a run, and their meaning for the exit status."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pytest_coderobust.gates.bets import LOOKING
from pytest_coderobust.gates.gate import Gate, GateOutcome, holds
from pytest_coderobust.gates.watch import Settled, read_planned, replay_watch
from pytest_coderobust.metrics.catalogue import read_interval, read_metric
from pytest_coderobust.metrics.interval import CONFIDENCE
from pytest_coderobust.metrics.summary import Summary, summarise, take_base_run
from pytest_coderobust.records import SuiteRun


def decide(gates: Iterable[Gate], summary: Summary, run: SuiteRun) -> tuple[GateOutcome, ...]:
    if run.course is None:
        return tuple(decide_gate(gate, summary, run) for gate in gates)
    watched = tuple(gates)
    return tuple(
        decide_on_course(gate, settled, summary, run)
        for gate, settled in zip(watched, replay_watch(watched, run), strict=True)
    )


def switch_off(outcomes: Iterable[GateOutcome]) -> tuple[GateOutcome, ...]:
    """Turns gates off: they are shown with their values and set no exit status."""
    return tuple(replace(found, outcome="off", reason="") for found in outcomes)


def exit_failed(outcomes: Iterable[GateOutcome]) -> bool:
    """Says whether the gates ask for exit status 1."""
    return any(found.fails_session for found in outcomes)


def decide_gate(gate: Gate, summary: Summary, run: SuiteRun) -> GateOutcome:
    """Decides one gate: only on a whole run, and on a metric that is defined."""
    k = min(run.ks) if gate.k is None else gate.k
    if gate.base and summary.base is not None:
        # "@base" asks about the model before its edit; the base model alone has those numbers.
        summary, run = summary.base, take_base_run(run)
    elif why := explain_unedited(gate, summary, run):
        return GateOutcome(gate, "not judged", None, why)
    value, undefined = read_metric(summary, gate.metric, gate.condition, k)
    # A part of a run never decides, even where its metric has a value: the reason comes first.
    reason = summary.incomplete or run.incomplete or undefined
    if value is None or reason:
        return GateOutcome(gate, "not judged", value, reason)
    if gate.confidence is not None:
        return decide_by_interval(gate, value, k, summary, run)
    return GateOutcome(gate, "holds" if holds(gate, value) else "fails", value)


def decide_on_course(
    gate: Gate, settled: Settled | None, summary: Summary, run: SuiteRun
) -> GateOutcome:
    """Decides a gate of a run that may end early.

    A gate that was settled during the run keeps that decision. Any other is decided at the end,
    if all squares that it reads were asked; if not, it is inconclusive.

    Args:
        settled: the decision during the run; None where the gate was still open at the end.
    """
    k = min(run.ks) if gate.k is None else gate.k
    value, _ = read_metric(summary, gate.metric, gate.condition, k)
    if settled is not None:
        early = settled.tasks < len(run.tasks)
        reason = f"settled after {settled.tasks} of {len(run.tasks)} tasks" if early else ""
        return GateOutcome(gate, "holds" if settled.met else "fails", value, reason)
    # The run may have ended because other gates were settled or the budget was spent. This gate
    # can still be decided if nothing that it reads is missing.
    seen = {(o.task_id, o.cell) for o in run.observations}
    squares = ((t, cell) for cell in read_planned(run).read_by(gate) for t in run.tasks)
    if not seen.issuperset(squares):
        return GateOutcome(gate, "inconclusive", value, run.incomplete)
    # The early looks were allowed `LOOKING` of the gate's error (1 - confidence). The interval at
    # the end gets what is left, so that both together are wrong no more often than the confidence
    # says. A gate without a confidence has no error to share.
    last = gate
    if gate.confidence is not None:
        last = replace(gate, confidence=1 - (1 - LOOKING) * (1 - gate.confidence))
    # `decide_gate` refuses a run that is not whole. For this gate it is: its squares are all there.
    whole = replace(run, incomplete="", course=None)
    found = decide_gate(last, replace(summary, incomplete=""), whole)
    return replace(found, gate=gate)


def explain_unedited(gate: Gate, summary: Summary, run: SuiteRun) -> str:
    """Explains that a gate's condition has no edited model; "" where it has one."""
    reasons = run.editing.unedited if run.editing else {}
    about = summary.condition(gate.condition)
    # A pooled condition lacks an edited model if one of its perturbations does. The clean condition
    # and metrics of the whole suite are about every perturbation.
    members = about.members if about and about.members else tuple(name_perturbations(summary))
    missing = [name for name in members if name in reasons]
    if about is not None and about.kind == "clean" and len(missing) < len(members):
        return ""  # clean prompts were asked of the edited models that exist
    return reasons[missing[0]] if missing else ""


def name_perturbations(summary: Summary) -> list[str]:
    return [found.name for found in summary.conditions if found.kind == "perturbation"]


def decide_by_interval(
    gate: Gate, value: float, k: int, summary: Summary, run: SuiteRun
) -> GateOutcome:
    """Decides by the interval: it holds or fails if both ends do, else it is inconclusive."""
    confidence = gate.confidence or CONFIDENCE
    # The summary's intervals are at the usual confidence; another one needs them computed again.
    known = summary if confidence == CONFIDENCE else summarise(run, confidence)
    found = read_interval(known, gate.metric, gate.condition, k)
    assert found is not None, "a rate that has a value has an interval"
    ends = {holds(gate, found.low), holds(gate, found.high)}
    if len(ends) == 1:
        return GateOutcome(gate, "holds" if ends.pop() else "fails", value, interval=found)
    reason = (
        f"the {100 * confidence:g} % interval, {found.low:.3g} to {found.high:.3g}, "
        f"holds the threshold"
    )
    return GateOutcome(gate, "inconclusive", value, reason, found)
