"""Thresholds and decisions: what a release needs, read at configuration time, decided at the end.

    METRIC[@K][[CONDITION]][@base] OP NUMBER        rd[C1] <= 0.15      pass@1 >= 0.30

Of an edited model and the one it was made from, "@base" means the latter; a model that was not
edited is its own base.

Only this module decides. A gate holds or fails on a whole run alone: anything less is "not
judged", and counts against the exit status like a failure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, cast

from pytest_coderobust.errors import ConfigError, nearest
from pytest_coderobust.metrics.catalogue import (
    COUNTS,
    NAMES,
    RATES,
    default_condition,
    on_clean,
    read,
    read_interval,
)
from pytest_coderobust.metrics.interval import CONFIDENCE, Estimate
from pytest_coderobust.metrics.summary import ALL, Summary, base_run, summarise
from pytest_coderobust.records import CLEAN, SuiteRun

Operator = Literal["<=", ">=", "<", ">"]
Outcome = Literal["holds", "fails", "not judged", "inconclusive", "off"]
Inconclusive = Literal["fail", "pass"]
Floor = Literal["heed", "ignore"]

TOLERANCE = 1e-9
"""Values this near to a threshold equal it: with 40 and then 34 of 164 tasks, RD is
0.15000000000000002 in floating point and 0.15 to everybody else."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One threshold.

    Attributes:
        text: as the user wrote it.
        k: None where the gate names none: the suite's smallest.
        condition: as written, or the metric's own default.
        inconclusive: what an inconclusive outcome means for the exit status.
        confidence: None decides by the value alone; else the gate holds or fails only where the
            whole interval at this confidence does, and is inconclusive where it straddles.
        floor: whether a threshold below a measured noise floor is refused.
        base: about the model before it was edited.
    """

    text: str
    metric: str
    k: int | None
    condition: str
    operator: Operator
    threshold: float
    inconclusive: Inconclusive = "fail"
    confidence: float | None = None
    floor: Floor = "heed"
    base: bool = False


@dataclass(frozen=True, slots=True)
class GateOutcome:
    """What became of a gate.

    Attributes:
        value: the metric, or None where it is undefined or nothing was measured.
        interval: what decided a gate that has a confidence.
        reason: why the gate was not judged, or is inconclusive; else "".
    """

    gate: Gate
    outcome: Outcome
    value: float | None = None
    reason: str = ""
    interval: Estimate | None = None


Judged: TypeAlias = tuple[SuiteRun, Summary, tuple[GateOutcome, ...]]
"""A suite's run with its numbers and its decisions: what a report is made of."""

GRAMMAR = re.compile(
    r"(?P<metric>[A-Za-z_]+)(?:@(?P<k>[0-9]{1,9}))?\s*(?:\[\s*(?P<condition>[^\[\]]+?)\s*\])?"
    r"(?P<base>@base)?"
    r"\s*(?P<operator><=|>=|<|>)\s*(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
)
EXAMPLE = "'rd[C1] <= 0.15' or 'pass@1 >= 0.30'"
TABLE_KEYS = ("gate", "inconclusive", "confidence", "floor")


def parse_gate(text_or_table: object, where: str) -> Gate:
    """The gate that a configuration value describes: a string, or a table with a `gate` key.

    Args:
        text_or_table: "rd[C1] <= 0.15", or {"gate": "...", "inconclusive": "pass"}.
        where: file, section and key, to begin an error with.

    Raises:
        ConfigError: it is no gate, names no metric, or its threshold can never matter.
    """
    if isinstance(text_or_table, str):
        return parse_text(text_or_table, where)
    if not isinstance(text_or_table, Mapping):
        raise ConfigError(f"{where}: a gate is a string like {EXAMPLE}, not {text_or_table!r}")
    table = cast("Mapping[object, object]", text_or_table)
    for key in table:
        if key not in TABLE_KEYS:
            raise ConfigError(f"{where}: unknown gate key {key!r}{nearest(str(key), TABLE_KEYS)}")
    text, inconclusive = table.get("gate"), table.get("inconclusive", "fail")
    if not isinstance(text, str):
        raise ConfigError(f"{where}: a gate's table needs gate = {EXAMPLE}, not {text!r}")
    if inconclusive not in ("fail", "pass"):
        hint = nearest(str(inconclusive), ("fail", "pass"))
        raise ConfigError(f"{where}: inconclusive = {inconclusive!r} is no outcome{hint}")
    floor = table.get("floor", "heed")
    if floor not in ("heed", "ignore"):
        hint = nearest(str(floor), ("heed", "ignore"))
        raise ConfigError(f"{where}: floor = {floor!r} in {text!r} is no choice{hint}")
    gate = replace(parse_text(text, where), inconclusive=inconclusive, floor=floor)
    return replace(gate, confidence=parse_confidence(gate, table.get("confidence"), where))


def parse_confidence(gate: Gate, value: object, where: str) -> float | None:
    """The confidence a gate's table asks for; errors as `parse_gate`."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, float) or not 0.5 <= value < 1:
        raise ConfigError(
            f"{where}: confidence = {value!r} in {gate.text!r} must lie between 0.5 and 1, "
            "like 0.95"
        )
    if gate.metric not in RATES:
        raise ConfigError(
            f"{where}: {gate.metric} in {gate.text!r} is a count, which has no interval: "
            "leave confidence out"
        )
    return value


def parse_text(text: str, where: str) -> Gate:
    """The gate that a string describes; errors as `parse_gate`."""
    match = GRAMMAR.fullmatch(text.strip())
    if not match:
        raise ConfigError(
            f"{where}: {text!r} is no gate: METRIC[@K][[CONDITION]][@base], one of <= >= < >, "
            f"and a number, like {EXAMPLE}"
        )
    name, k, condition = match["metric"], match["k"], match["condition"]
    if name not in NAMES:
        raise ConfigError(f"{where}: unknown metric {name!r} in {text!r}{nearest(name, NAMES)}")
    if name in RATES and RATES[name].names_k and k is None:
        raise ConfigError(f"{where}: {text!r} must say which k, like '{name}@1'")
    if name not in RATES and k is not None:
        raise ConfigError(f"{where}: {name} in {text!r} is a count and takes no @{k}")
    if name not in RATES and name not in COUNTS and condition is not None:
        raise ConfigError(f"{where}: {name} in {text!r} counts the suite's tasks: no [{condition}]")
    gate = Gate(
        text=text.strip(),
        metric=name,
        k=None if k is None else int(k),
        condition=default_condition(name) if condition is None else condition,
        operator=cast("Operator", match["operator"]),
        threshold=float(match["number"]),
        base=match["base"] is not None,
    )
    check_threshold(gate, where)
    return gate


def check_threshold(gate: Gate, where: str) -> None:
    """Refuses a threshold outside what the metric can be: such a gate says nothing."""
    named = f"{where}: {gate.metric} in {gate.text!r}"
    if gate.metric in RATES:
        least = RATES[gate.metric].least
        if not least <= gate.threshold <= 1.0:
            raise ConfigError(
                f"{named} is a share between {least:g} and 1, not {gate.threshold:g} (15 % is 0.15)"
            )
    elif gate.threshold < 0 or not gate.threshold.is_integer():
        raise ConfigError(
            f"{named} is a count: its threshold is a whole number, not {gate.threshold:g}"
        )


def check_gates(
    gates: Iterable[Gate],
    ks: Sequence[int],
    conditions: Iterable[str],
    levels: Mapping[str, str],
    where: str,
) -> None:
    """Refuses gates that a suite's plan cannot answer.

    Args:
        ks: the suite's.
        conditions: the names of the planned perturbations.
        levels: level of each planned perturbation, as in `SuiteRun.levels`.
        where: file, section and key, to begin an error with.

    Raises:
        ConfigError: a gate's k or condition is not in the plan.
    """
    perturbations = [name for name in conditions if name != CLEAN]
    pools = [levels[name] for name in perturbations if levels.get(name)]
    pools += [ALL] if perturbations else []
    for gate in gates:
        if gate.k is not None and gate.k not in ks:
            known = ", ".join(map(str, ks))
            raise ConfigError(
                f"{where}: {gate.text!r} asks for k = {gate.k}, and the suite measures k = {known}"
            )
        known_names = [*perturbations, *pools]
        known_names += [CLEAN] if on_clean(gate.metric) else []
        if gate.condition and gate.condition not in known_names:
            hint = nearest(gate.condition, known_names) or ": the suite has no perturbations"
            raise ConfigError(
                f"{where}: {gate.text!r} is about {gate.condition!r}, which this suite does not "
                f"measure{hint}"
            )


def decide(gates: Iterable[Gate], summary: Summary, run: SuiteRun) -> tuple[GateOutcome, ...]:
    """Every gate's outcome, in order."""
    return tuple(decided(gate, summary, run) for gate in gates)


def switch_off(outcomes: Iterable[GateOutcome]) -> tuple[GateOutcome, ...]:
    """The same gates, shown with their values and without a say in the exit status."""
    return tuple(replace(found, outcome="off", reason="") for found in outcomes)


def exit_failed(outcomes: Iterable[GateOutcome]) -> bool:
    """Whether the gates ask for exit status 1."""
    return any(
        found.outcome in ("fails", "not judged")
        or (found.outcome == "inconclusive" and found.gate.inconclusive == "fail")
        for found in outcomes
    )


def decided(gate: Gate, summary: Summary, run: SuiteRun) -> GateOutcome:
    """One gate's outcome: judged only on a whole run, and on a metric that is defined."""
    k = min(run.ks) if gate.k is None else gate.k
    if gate.base and summary.base is not None:
        summary, run = summary.base, base_run(run)
    elif why := unedited(gate, summary, run):
        return GateOutcome(gate, "not judged", None, why)
    value, undefined = read(summary, gate.metric, gate.condition, k)
    reason = summary.incomplete or run.incomplete or undefined
    if value is None or reason:
        return GateOutcome(gate, "not judged", value, reason)
    if gate.confidence is not None:
        return decided_by_interval(gate, value, k, summary, run)
    return GateOutcome(gate, "holds" if holds(gate, value) else "fails", value)


def unedited(gate: Gate, summary: Summary, run: SuiteRun) -> str:
    """Why the condition a gate is about has no edited model, or ""."""
    reasons = run.editing.unedited if run.editing else {}
    about = summary.condition(gate.condition)
    members = about.members if about and about.members else tuple(summary_names(summary))
    missing = [name for name in members if name in reasons]
    if about is not None and about.kind == "clean" and len(missing) < len(members):
        return ""  # clean prompts were asked of the models that there are
    return reasons[missing[0]] if missing else ""


def summary_names(summary: Summary) -> list[str]:
    """The perturbations of a suite."""
    return [found.name for found in summary.conditions if found.kind == "perturbation"]


def decided_by_interval(
    gate: Gate, value: float, k: int, summary: Summary, run: SuiteRun
) -> GateOutcome:
    """Holds or fails where both ends of the interval do; else the noise forbids a decision."""
    confidence = gate.confidence or CONFIDENCE
    told = summary if confidence == CONFIDENCE else summarise(run, confidence)
    found = read_interval(told, gate.metric, gate.condition, k)
    assert found is not None, "a rate that has a value has an interval"
    ends = {holds(gate, found.low), holds(gate, found.high)}
    if len(ends) == 1:
        return GateOutcome(gate, "holds" if ends.pop() else "fails", value, interval=found)
    reason = (
        f"the {100 * confidence:g} % interval, {found.low:.3g} to {found.high:.3g}, "
        f"holds the threshold"
    )
    return GateOutcome(gate, "inconclusive", value, reason, found)


def holds(gate: Gate, value: float) -> bool:
    """Whether the value meets the threshold; within `TOLERANCE` the two are equal."""
    excess = value - gate.threshold
    compared: dict[Operator, Callable[[], bool]] = {
        "<=": lambda: excess <= TOLERANCE,
        ">=": lambda: excess >= -TOLERANCE,
        "<": lambda: excess < -TOLERANCE,
        ">": lambda: excess > TOLERANCE,
    }
    return compared[gate.operator]()
