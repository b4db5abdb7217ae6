"""The head of a suite: the verdict in one line with the model's identity, and the few numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_coderobust.metrics.clean_pairs import CleanPairs
from pytest_coderobust.metrics.condition import ConditionSummary
from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.records import SuiteRun
from pytest_coderobust.reporting.edit_rows import describe_editing
from pytest_coderobust.reporting.figures import DASH, NONE, explain_gate, format_number
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.results.conclusion import SuiteReport
from pytest_coderobust.results.standing import Standing, find_standing, find_widest, find_worst

NAME = 80
LINE = 300
DIGITS = 12
"""Digits of a fingerprint that people compare."""


@dataclass(frozen=True, slots=True)
class Card:
    """One number: its name, its value, and what belongs to it ("" for nothing)."""

    name: str
    value: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Headline:
    """The head of a suite.

    Attributes:
        word, kind: of the verdict, and its class in the style.
        identity: what is known of the model beside its name and fingerprint.
        why: one sentence.
    """

    word: str
    kind: str
    model: str
    fingerprint: str
    identity: str
    why: str
    cards: tuple[Card, ...]


def make_headline(report: SuiteReport, pairs: Sequence[CleanPairs]) -> Headline:
    """Makes the head of a suite.

    Args:
        pairs: of the report.
    """
    standing = find_standing(report.result)
    run = report.run
    return Headline(
        word="Measured" if standing.word == "no gates" else standing.word.capitalize(),
        kind=standing.word.replace(" ", "-"),
        model=escape(run.model.name, NAME),
        fingerprint=escape(run.model.digest[:DIGITS]),
        identity=escape(identify(run), LINE),
        why=escape("; ".join(explain_standing(report, standing)), LINE),
        cards=tuple(make_cards(report, pairs)),
    )


def identify(run: SuiteRun) -> str:
    """Identifies the model beyond its name: how it was edited, or how well its server is known."""
    parts = [f"edited by {describe_editing(run.editing)[0]}"] if run.editing else []
    if tier := run.model.served_tier:
        parts.append(f"served, weights {tier}" + (", weakly" if run.model.weak else ""))
    return "; ".join(parts)


def explain_standing(report: SuiteReport, standing: Standing) -> Iterator[str]:
    """Explains the verdict: how many gates decided, and the first of them."""
    if standing.word == "partial":
        yield report.summary.incomplete
    elif standing.word == "no gates":
        yield "no gate decides"
    elif standing.word == "gates off":
        yield f"{count_gates(standing.gates)} switched off"
    elif standing.word == "holds":
        yield "the gate holds" if standing.gates == 1 else f"all {standing.gates} gates hold"
    else:
        first = standing.deciding[0]
        reason = explain_gate(first)
        told = f"{len(standing.deciding)} of {count_gates(standing.gates)}: {first.gate.text}"
        yield f"{told} ({reason})" if reason else told
    if (found := report.summary.comparison) is not None:
        yield f"compared with before: {found.verdict}"


def count_gates(gates: int) -> str:
    return f"{gates} gate{'' if gates == 1 else 's'}"


def make_cards(report: SuiteReport, pairs: Sequence[CleanPairs]) -> Iterator[Card]:
    """Makes the cards: the clean rate, the perturbed one, its loss, and what changed sides."""
    summary = report.summary
    k = min(report.run.ks)
    clean = next(found for found in summary.conditions if found.kind == "clean")
    rate = clean.scores[k].pass_at_k
    yield Card(f"clean pass@{k}", *format_card(rate, f"{clean.tasks} tasks"))
    widest = find_widest(summary.conditions)
    if widest is None:
        return
    yield Card(f"perturbed pass@{k}", *format_card(widest.scores[k].pass_at_k, describe(widest)))
    rd = widest.scores[k].rd
    if rd is None and rate is not None and rate.value == 0:
        yield Card("RD", NONE, "says nothing: no clean prompt is solved")
        return
    yield Card("RD, the share lost", *format_card(rd, "95 % interval"))
    pair = next(each for each in pairs if each.condition == widest.name)
    yield Card("newly broken", f"{pair.broken}", f"newly fixed {pair.fixed}, of {pair.items} items")
    worst = find_worst(summary)
    if worst is not None and (most := worst.scores[k].rd) is not None:
        yield Card("most fragile", escape(worst.name, NAME), f"RD {format_number(most.value, 3)}")


def describe(condition: ConditionSummary) -> str:
    """Describes the prompts of a condition."""
    variants = condition.variants
    return f"{variants} variant{'' if variants == 1 else 's'} a task"


def format_card(found: Estimate | None, about: str) -> tuple[str, str]:
    """Formats an estimate for a card: its value, and its interval with a remark."""
    if found is None:
        return NONE, about
    low, high = format_number(found.low, 2), format_number(found.high, 2)
    return format_number(found.value, 3), "; ".join(filter(None, (f"{low}{DASH}{high}", about)))
