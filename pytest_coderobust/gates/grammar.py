"""The grammar of gates: read with the configuration, checked against a suite's plan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from pytest_coderobust.errors import ConfigError, nearest
from pytest_coderobust.gates.gate import Gate, Operator
from pytest_coderobust.metrics.catalogue import (
    COUNTS,
    NAMES,
    QUALITIES,
    RATES,
    allows_clean,
    find_default_condition,
)
from pytest_coderobust.metrics.summary import ALL
from pytest_coderobust.metrics.unseen import pool_unseen
from pytest_coderobust.records import CLEAN

GRAMMAR = re.compile(
    r"(?P<metric>[A-Za-z_]+)(?:@(?P<k>[0-9]{1,9}))?\s*(?:\[\s*(?P<condition>[^\[\]]+?)\s*\])?"
    r"(?P<base>@base)?"
    r"\s*(?P<operator><=|>=|<|>)\s*(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
)
EXAMPLE = "'rd[C1] <= 0.15' or 'pass@1 >= 0.30'"
TABLE_KEYS = ("gate", "inconclusive", "confidence", "floor")


def parse_gate(text_or_table: object, where: str) -> Gate:
    """Reads a gate from a configuration value: a string, or a table with a `gate` key.

    Args:
        text_or_table: "rd[C1] <= 0.15", or {"gate": "...", "inconclusive": "pass"}.
        where: file, section and key, to begin an error with.

    Raises:
        ConfigError: the value is not a valid gate, names no metric, or its threshold can never
            matter.
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
        raise ConfigError(f"{where}: inconclusive = {inconclusive!r} is not a valid outcome{hint}")
    floor = table.get("floor", "heed")
    if floor not in ("heed", "ignore"):
        hint = nearest(str(floor), ("heed", "ignore"))
        raise ConfigError(f"{where}: floor = {floor!r} in {text!r} is not a valid choice{hint}")
    gate = replace(parse_text(text, where), inconclusive=inconclusive, floor=floor)
    return replace(gate, confidence=parse_confidence(gate, table.get("confidence"), where))


def parse_confidence(gate: Gate, value: object, where: str) -> float | None:
    """Reads the confidence that a gate's table asks for; errors as `parse_gate`."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, float) or not 0.5 <= value < 1:
        raise ConfigError(
            f"{where}: confidence = {value!r} in {gate.text!r} must lie between 0.5 and 1, "
            "like 0.95"
        )
    if gate.metric in QUALITIES:
        raise ConfigError(
            f"{where}: {gate.metric} in {gate.text!r} is decided by its value: leave confidence out"
        )
    if gate.metric not in RATES:
        raise ConfigError(
            f"{where}: {gate.metric} in {gate.text!r} is a count, which has no interval: "
            "leave confidence out"
        )
    return value


def parse_text(text: str, where: str) -> Gate:
    """Reads a gate from a string; errors as `parse_gate`."""
    match = GRAMMAR.fullmatch(text.strip())
    if not match:
        raise ConfigError(
            f"{where}: {text!r} is not a valid gate: METRIC[@K][[CONDITION]][@base], "
            f"one of <= >= < >, and a number, like {EXAMPLE}"
        )
    name, k, condition = match["metric"], match["k"], match["condition"]
    if name not in NAMES:
        raise ConfigError(f"{where}: unknown metric {name!r} in {text!r}{nearest(name, NAMES)}")
    if name in RATES and RATES[name].names_k and k is None:
        raise ConfigError(f"{where}: {text!r} must say which k, like '{name}@1'")
    if name not in RATES and k is not None:
        kind = "a share of solutions" if name in QUALITIES else "a count"
        raise ConfigError(f"{where}: {name} in {text!r} is {kind} and takes no @{k}")
    if name not in {**RATES, **COUNTS, **QUALITIES} and condition is not None:
        raise ConfigError(f"{where}: {name} in {text!r} counts the suite's tasks: no [{condition}]")
    gate = Gate(
        text=text.strip(),
        metric=name,
        k=None if k is None else int(k),
        condition=find_default_condition(name) if condition is None else condition,
        operator=cast("Operator", match["operator"]),
        threshold=float(match["number"]),
        base=match["base"] is not None,
    )
    check_threshold(gate, where)
    return gate


def check_threshold(gate: Gate, where: str) -> None:
    """Refuses a threshold outside what the metric can be: such a gate says nothing."""
    named = f"{where}: {gate.metric} in {gate.text!r}"
    if gate.metric in RATES or gate.metric in QUALITIES:
        least = RATES[gate.metric].least if gate.metric in RATES else 0.0
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
    train: Sequence[str] = (),
) -> None:
    """Refuses gates that a suite's plan cannot answer.

    Args:
        ks: the suite's.
        conditions: the names of the planned perturbations.
        levels: level of each planned perturbation, as in `SuiteRun.levels`.
        where: file, section and key, to begin an error with.
        train: perturbations that the suite lets models be trained on.

    Raises:
        ConfigError: a gate's k or condition is not in the plan.
    """
    perturbations = [name for name in conditions if name != CLEAN]
    pools = [levels[name] for name in perturbations if levels.get(name)]
    pools += [ALL] if perturbations else []
    pools += pool_unseen(perturbations, train)
    for gate in gates:
        if gate.k is not None and gate.k not in ks:
            known = ", ".join(map(str, ks))
            raise ConfigError(
                f"{where}: {gate.text!r} asks for k = {gate.k}, and the suite measures k = {known}"
            )
        known_names = [*perturbations, *pools]
        known_names += [CLEAN] if allows_clean(gate.metric) else []
        if gate.condition and gate.condition not in known_names:
            hint = nearest(gate.condition, known_names) or ": the suite has no perturbations"
            raise ConfigError(
                f"{where}: {gate.text!r} is about {gate.condition!r}, which this suite does not "
                f"measure{hint}"
            )
