"""The page of a history: one file that needs nothing else, makes no request and runs no script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_coderobust.metrics.condition import ConditionSummary
from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.reporting.figures import format_number
from pytest_coderobust.reporting.history.charts import draw_losses, draw_rates
from pytest_coderobust.reporting.history.rows import (
    DIGITS,
    LINE,
    HistoryMarks,
    HistoryTable,
    describe_change,
    list_history_remarks,
    make_rd_table,
    make_release_table,
    name_release,
    read_scores,
)
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.html import read_asset, render_template, write_style_policy
from pytest_coderobust.reporting.html.headline import Card, Headline, format_card
from pytest_coderobust.reporting.html.panels import Chart
from pytest_coderobust.results.history import SuiteHistory

KINDS = {"regressed": "fails", "not worse": "holds", "inconclusive": "inconclusive"}
"""Verdicts, by the class that colours them."""

RateName = Literal["pass_at_k", "rd"]


@dataclass(frozen=True, slots=True)
class HistoryView:
    """One suite's history as text and coordinates.

    Attributes:
        headline: of the latest release.
        releases: the table; its third column belongs to the second.
    """

    name: str
    headline: Headline
    releases: HistoryTable
    rates: Chart
    losses: tuple[Chart, ...]
    rd: HistoryTable | None
    remarks: tuple[str, ...]


def render_history_page(histories: Sequence[SuiteHistory]) -> str:
    """Renders the histories as one HTML document."""
    from importlib.resources import files

    here = files("pytest_coderobust.reporting.history")
    style = read_asset("style.css")
    views: list[HistoryView] = [make_history_view(each) for each in histories]
    return render_template(
        here.joinpath("history.html").read_text(encoding="utf-8"),
        style=style,
        policy=write_style_policy(style),
        suites=views,
    )


def make_history_view(history: SuiteHistory) -> HistoryView:
    """Makes the view of one suite."""
    marks = HistoryMarks()
    losses = make_rd_table(history, marks, last=len(history.releases), intervals=True)
    return HistoryView(
        name=escape(history.suite, LINE),
        headline=make_latest_headline(history, marks),
        releases=make_release_table(history, marks),
        rates=draw_rates(history),
        losses=draw_losses(history),
        rd=losses,
        remarks=tuple(list_history_remarks(history)),
    )


def make_latest_headline(history: SuiteHistory, marks: HistoryMarks) -> Headline:
    """Makes the head of a suite: its latest release against the one before."""
    latest = history.releases[-1]
    change = latest.change
    told = "there is none to compare it with"
    if change is not None:
        told = f"against the one before: {describe_change(change, marks)}"
    return Headline(
        word="Latest",
        kind=KINDS.get(change.verdict if change else "", "no-gates"),
        model=name_release(latest),
        fingerprint=escape(latest.model.digest[:DIGITS]),
        identity="",
        why=told,
        cards=tuple(make_latest_cards(history)),
    )


def make_latest_cards(history: SuiteHistory) -> Iterator[Card]:
    """Makes the cards of the latest release's rates, each with the first comparable one's."""
    latest = history.releases[-1]
    k = history.k
    first = next(each for each in history.releases if not each.differs)
    number = history.releases.index(first) + 1
    wanted: list[tuple[str, RateName, bool]] = [(f"clean pass@{k}", "pass_at_k", True)]
    if latest.widest is not None:
        wanted.append((f"perturbed pass@{k}", "pass_at_k", False))
        wanted.append(("RD, the share lost", "rd", False))
    for name, rate, clean in wanted:
        before = read_rate(first.clean if clean else first.widest, k, rate)
        now = read_rate(latest.clean if clean else latest.widest, k, rate)
        told = ""
        if before is not None and first is not latest:
            told = f"release {number}: {format_number(before.value, 3)}"
        yield Card(name, *format_card(now, told))


def read_rate(condition: ConditionSummary | None, k: int, rate: RateName) -> Estimate | None:
    """Reads one rate of a condition at k; None where it has none."""
    scores = read_scores(condition, k)
    if scores is None:
        return None
    return scores.rd if rate == "rd" else scores.pass_at_k
