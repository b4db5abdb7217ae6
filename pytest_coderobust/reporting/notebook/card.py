"""A result, and a comparison of two, as a card in a notebook: verdict, picture, tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape as quote

from pytest_coderobust.metrics.comparison import RunComparison
from pytest_coderobust.metrics.condition import ConditionSummary
from pytest_coderobust.records import SuiteRun
from pytest_coderobust.reporting.comparison_rows import HEADINGS, describe_flips, make_change_row
from pytest_coderobust.reporting.figures import (
    DASH,
    NONE,
    explain_gate,
    format_estimate,
    pick_conditions,
)
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.notebook.picture import (
    describe_pairs,
    draw_pairs,
    embed_picture,
    make_pairs,
)
from pytest_coderobust.results.result import DecidedRun

LINE = 300
"""Characters of a foreign text that are shown."""

ROWS = 200


def render_card(result: DecidedRun, trouble: Iterable[str] = ()) -> str:
    """Renders a result; every foreign text is escaped.

    Args:
        trouble: sentences about what went wrong, shown above the numbers.
    """
    run, summary = result.run, result.summary
    k = min(run.ks)
    lines = [*([f"partial: {summary.incomplete}"] if summary.incomplete else []), *trouble]
    pairs = make_pairs(summary, k)
    rows = [_make_row(each, run.ks) for each in pick_conditions(summary)[:ROWS]]
    named = f"<b>{_show(run.suite)}</b> on <b>{_show(run.model.name)}</b>"
    digest = f"<code>{_show(run.model.digest[:12])}</code>"
    parts = [
        f"<p>{named} {digest}: {_show(name_verdict(result))}</p>",
        *(f"<p>{_show(line)}</p>" for line in lines),
        embed_picture(draw_pairs(pairs, k), describe_pairs(pairs, k)) if pairs else "",
        format_rows(_name_columns(run), rows),
    ]
    if result.gates:
        gates = ((found.outcome, found.gate.text, explain_gate(found)) for found in result.gates)
        parts.append(format_rows(("outcome", "gate", "measured"), gates))
    return f'<div class="coderobust">{"".join(parts)}</div>'


def render_comparison(found: RunComparison, before: str, after: str) -> str:
    """Renders a comparison of two results that have these names."""
    verdict = f"{_show(found.verdict)} at a margin of {found.margin:g}"
    title = f"<p><b>{_show(after)}</b> after <b>{_show(before)}</b>: {verdict}</p>"
    rows = (make_change_row(change, NONE, DASH) for change in found.changes[:ROWS])
    flips = "".join(f"<p>{_show(line)}</p>" for line in describe_flips(found))
    table = format_rows(("rate", *HEADINGS), rows)
    return f'<div class="coderobust">{title}{table}{flips}</div>'


def name_verdict(result: DecidedRun) -> str:
    """Names what the gates say together."""
    if not result.gates:
        return "no gates"
    counts = Counter(found.outcome for found in result.gates)
    return f"gates: {', '.join(f'{count} {outcome}' for outcome, count in counts.items())}"


def format_rows(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Formats a table; cells are text, and are escaped."""
    head = "".join(f"<th>{_show(text)}</th>" for text in headings)
    body = "".join(f"<tr>{''.join(f'<td>{_show(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _name_columns(run: SuiteRun) -> tuple[str, ...]:
    return ("condition", "tasks", *(f"pass@{k} (95 %)" for k in run.ks), "RD (95 %)", "broken")


def _make_row(condition: ConditionSummary, ks: Sequence[int]) -> tuple[str, ...]:
    clean = condition.kind == "clean"
    return (
        condition.name,
        str(condition.tasks),
        *(format_estimate(condition.scores[k].pass_at_k) for k in ks),
        "" if clean else format_estimate(condition.scores[min(ks)].rd),
        "" if clean else str(condition.broken),
    )


def _show(text: str) -> str:
    return quote(escape(text, LINE))
