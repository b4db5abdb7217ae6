"""The person's report: what was measured, the conditions side by side, the gates one a line.

It reads at 80 columns and without colour, and falls back to ASCII where the stream cannot encode
more. Text from suites, models and data is plain rich Text, never markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

from rich.box import SIMPLE_HEAD, Box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from pytest_coderobust.gates import GateOutcome, Judged
from pytest_coderobust.metrics.condition import ConditionSummary
from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.metrics.summary import Summary
from pytest_coderobust.records import SuiteRun
from pytest_coderobust.reporting.adoption import HEADINGS, adoption_row, change_lines
from pytest_coderobust.reporting.hostile import visible

NAMED = 10
"""Unusable or unchecked tasks named in full; the JSON document has them all."""

LINE = 300
"""Characters of one foreign text that are shown."""

NAME = 40
"""Characters of a condition's name that are shown."""

NARROWEST = 80
"""Columns the tables need: a narrower terminal wraps lines, and no number is ever cut."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The few characters beyond letters, by what the stream can encode."""

    none: str
    dash: str
    times: str
    box: Box


UNICODE = Glyphs(none="\u2013", dash="\u2013", times="\u00d7", box=SIMPLE_HEAD)
PLAIN = Glyphs("-", "-", "x", Box(str(SIMPLE_HEAD).replace("\u2500", "-"), ascii=True))

OUTCOME_STYLE = {
    "holds": "green",
    "fails": "bold red",
    "not judged": "bold red",
    "inconclusive": "yellow",
    "off": "dim",
}


def render(runs: Sequence[Judged], width: int, colour: bool, encoding: str = "utf-8") -> str:
    """The report of every suite, as text that ends in a line end ("" of nothing).

    Args:
        width: columns of the terminal.
        colour: whether the stream shows ANSI colours.
        encoding: what the stream writes.
    """
    glyphs = glyphs_for(encoding)
    out = StringIO()
    # Everything is said outright: rich would otherwise ask the environment.
    console = Console(
        file=out,
        width=max(width, NARROWEST),
        color_system="standard" if colour else None,
        force_terminal=colour,
        no_color=not colour,
        force_jupyter=False,
        legacy_windows=False,
        safe_box=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    for index, judged in enumerate(runs):
        if index:
            console.print()
        for part in suite_parts(judged, glyphs):
            console.print(part)
    text = "\n".join(printed.rstrip() for printed in out.getvalue().split("\n"))
    return text.encode(encoding, "backslashreplace").decode(encoding)


def glyphs_for(encoding: str) -> Glyphs:
    """The Unicode glyphs where the encoding has them, else ASCII."""
    try:
        f"{UNICODE.none}{UNICODE.dash}{UNICODE.times}{UNICODE.box}".encode(encoding)
    except UnicodeEncodeError:
        return PLAIN
    return UNICODE


def suite_parts(judged: Judged, glyphs: Glyphs) -> Iterator[RenderableType]:
    """One suite from its header to its gates."""
    run, summary, outcomes = judged
    yield from header(run, summary, glyphs)
    yield ""
    yield conditions_table(run, summary, glyphs)
    for table in worst_tables(run, summary, glyphs):
        yield ""
        yield table
    if summary.adoption:
        yield ""
        yield adoption_table(summary, glyphs)
    yield ""
    yield from left_out(run, summary)
    yield from map(gate_line, outcomes)


def header(run: SuiteRun, summary: Summary, glyphs: Glyphs) -> Iterator[Text]:
    """Which suite, model and sampling; loud when the run is partial."""
    yield line("suite", shown(run.suite))
    yield line("model", f"{shown(run.model.name)}  {shown(run.model.digest[:12])}")
    for name, fact in run.model.facts.items():
        yield line("", f"{shown(name)}: {shown(fact)}")
    variants = len(run.cells) - 1
    cells = f" {glyphs.times} (clean + {variants} variants)" if variants > 0 else ", clean only"
    tier = f", sandbox {shown(run.tier)}" if run.tier else ""
    yield line("plan", f"{summary.tasks} tasks{cells}{tier}")
    sampling = run.sampling
    drawn = "greedy" if sampling.greedy else f"T={sampling.temperature:g} top_p={sampling.top_p:g}"
    yield line("drawn", f"n={sampling.n}, {drawn}, at most {sampling.max_new_tokens} tokens")
    for index, change in enumerate(change_lines(run.api_changes)):
        yield line("" if index else "api", change)
    if summary.incomplete:
        yield Text(f"PARTIAL: {shown(summary.incomplete)}", "bold yellow")


def line(name: str, value: str) -> Text:
    """One named fact, the values aligned."""
    return Text.assemble((f"{name:<5}", "bold"), " ", value)


def conditions_table(run: SuiteRun, summary: Summary, glyphs: Glyphs) -> Table:
    """Every condition at the smallest k: rate with its interval, RD, and the statuses."""
    k = min(run.ks)
    table = bare_table(glyphs, "condition", "tasks", f"pass@{k} (95%)", "RD")
    for heading in ("robust", "broken", "unsolved", "skipped"):
        table.add_column(heading, justify="right", no_wrap=True)
    for condition in told(summary):
        scores = condition.scores[k]
        clean = condition.kind == "clean"
        table.add_row(
            label(condition),
            str(condition.tasks),
            interval(scores.pass_at_k, glyphs),
            "" if clean else number(scores.rd, glyphs),
            "" if clean else str(condition.robust),
            "" if clean else str(condition.broken),
            str(condition.unsolved),
            "" if clean and not condition.skipped else str(condition.skipped),
        )
    return table


def adoption_table(summary: Summary, glyphs: Glyphs) -> Table:
    """Completions of each condition by what they made of the declared API changes."""
    table = bare_table(glyphs, *HEADINGS)
    for counts in summary.adoption:
        table.add_row(Text(visible(counts.condition, NAME), "bold"), *adoption_row(counts))
    return table


def worst_tables(run: SuiteRun, summary: Summary, glyphs: Glyphs) -> Iterator[Table]:
    """ReCode's three for each k, and pass@k and RD beyond the smallest k."""
    for k in run.ks:
        first = k == min(run.ks)
        rows = [c for c in told(summary) if not (first and c.kind == "clean")]
        if not rows:
            continue
        extra = () if first else (f"pass@{k} (95%)", "RD")
        headings = ("condition", "s", *extra, f"robust pass@{k}", "drop", "relative")
        table = bare_table(glyphs, *headings)
        for condition in rows:
            scores = condition.scores[k]
            clean = condition.kind == "clean"
            plain = (interval(scores.pass_at_k, glyphs), "" if clean else number(scores.rd, glyphs))
            worst = (
                interval(scores.robust_pass, glyphs),
                number(scores.robust_drop, glyphs),
                number(scores.robust_relative, glyphs),
            )
            table.add_row(
                label(condition),
                "" if clean else str(condition.variants),
                *(() if first else plain),
                *(("", "", "") if clean else worst),
            )
        yield table


def left_out(run: SuiteRun, summary: Summary) -> Iterator[Text]:
    """The notes, and every task or completion a reader might miss in the numbers."""
    for note in run.notes:
        yield line("note", shown(note))
    if summary.skipped:
        why = ", ".join(f"{items} {shown(reason)}" for reason, items in summary.skipped[:NAMED])
        yield Text(f"skipped: {why}")
    if summary.truncated:
        yield Text(
            f"truncated: the token limit ended {summary.truncated} of "
            f"{summary.completions} completions"
        )
    for task, reason in summary.unusable[:NAMED]:
        yield Text(f"unusable {shown(task)}: {shown(reason)}")
    if len(summary.unusable) > NAMED:
        yield Text(f"unusable: {len(summary.unusable) - NAMED} more tasks")
    if summary.unchecked:
        named = ", ".join(map(shown, summary.unchecked[:NAMED]))
        rest = len(summary.unchecked) - NAMED
        more = f" and {rest} more" if rest > 0 else ""
        yield Text(f"unchecked (no canonical solution): {named}{more}")


def gate_line(found: GateOutcome) -> Text:
    """One gate: outcome, threshold, value, and the reason when there is one."""
    value = "" if found.value is None else f"  (measured {found.value:.4g})"
    reason = f": {shown(found.reason)}" if found.reason else ""
    return Text.assemble(
        "gate ",
        (f"{found.outcome:<10}", OUTCOME_STYLE[found.outcome]),
        f"  {shown(found.gate.text)}{value}{reason}",
    )


def told(summary: Summary) -> list[ConditionSummary]:
    """The conditions worth a row: one that pools the same variants as an earlier row is not."""
    rows: dict[tuple[str, ...], ConditionSummary] = {}
    for condition in summary.conditions:
        rows.setdefault(condition.members, condition)
    return list(rows.values())


def bare_table(glyphs: Glyphs, first: str, *headings: str) -> Table:
    """A table whose first column is text and whose others are numbers."""
    table = Table(box=glyphs.box, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def label(condition: ConditionSummary) -> Text:
    """A condition's name; pools lean to the right of what they pool."""
    indent = " " if condition.kind in ("level", "all") else ""
    return Text(indent + visible(condition.name, NAME), "bold")


def interval(found: Estimate | None, glyphs: Glyphs) -> str:
    """0.212 (0.16-0.28)."""
    if found is None:
        return glyphs.none
    return f"{found.value:.3f} ({found.low:.2f}{glyphs.dash}{found.high:.2f})"


def number(value: float | None, glyphs: Glyphs) -> str:
    """Three decimals, or the sign for undefined."""
    return glyphs.none if value is None else f"{value:.3f}"


def shown(text: str) -> str:
    """Foreign text on one line."""
    return visible(text, LINE)
