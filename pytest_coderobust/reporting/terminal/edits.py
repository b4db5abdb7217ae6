"""The terminal's part about edits: base beside edited, and G-RIR beside its controls.

The first table is about every prompt that nobody edited; the second about those that were broken
when the requests were drawn, scored on samples drawn since; the third about each edit itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pytest_coderobust.metrics.condition import ConditionSummary
from pytest_coderobust.metrics.edits import EditMetrics, EditSummary, Shift
from pytest_coderobust.metrics.summary import Summary
from pytest_coderobust.records import SuiteRun
from pytest_coderobust.records.editing import EditRecord
from pytest_coderobust.reporting.edit_rows import describe_editing, format_range, write_remarks
from pytest_coderobust.reporting.figures import pick_conditions
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.terminal.tables import (
    NAME,
    Glyphs,
    format_interval,
    format_label,
    format_value,
    make_table,
)


def render_edits(run: SuiteRun, summary: Summary, glyphs: Glyphs) -> Iterator[RenderableType]:
    """Renders the edits of a run; nothing where the model was not edited."""
    edits, base = summary.edits, summary.base
    if run.editing is None or edits is None or base is None:
        return
    yield ""
    first, *rest = describe_editing(run.editing)
    yield Text.assemble(("edit ", "bold"), " ", first)
    yield from (Text(f"      {words}") for words in rest)
    yield ""
    yield make_compared_table(run, base, summary, glyphs)
    if edits.categories:
        yield ""
        yield make_restored_table(edits, glyphs)
        yield ""
        yield make_own_table(edits, glyphs)
    if len(edits.steps) > len(edits.categories):
        yield ""
        yield make_steps_table(edits, glyphs)
    yield ""
    yield from map(Text, write_remarks(run.editing, edits, bars=True))


def make_compared_table(run: SuiteRun, base: Summary, edited: Summary, glyphs: Glyphs) -> Table:
    """Makes the table of base beside edited model, without the tasks edited on."""
    k = min(run.ks)
    table = make_table(
        glyphs, "condition", "tasks", f"pass@{k} base", "edited", "RD base", "edited"
    )
    unedited = run.editing.unedited if run.editing else {}
    after = {found.name: found for found in edited.conditions}
    for before in pick_conditions(base):
        now = after[before.name]
        none = any(name in unedited for name in before.members)
        clean = before.kind == "clean"
        lost = clean and bool(unedited) and not (edited.edits and edited.edits.categories)
        table.add_row(
            format_label(before),
            str(before.tasks),
            format_rate(before, k, glyphs),
            glyphs.none if none or lost else format_rate(now, k, glyphs),
            "" if clean else format_value(before.scores[k].rd, glyphs),
            "" if clean else (glyphs.none if none else format_value(now.scores[k].rd, glyphs)),
        )
    return table


def make_restored_table(edits: EditSummary, glyphs: Glyphs) -> Table:
    """Makes the table of G-RIR: of the edit, of both controls, and their difference."""
    table = make_table(glyphs, "", "", "tasks", "G-RIR (95%)", "clipped")
    table.columns[1].justify = "left"
    found = (*edits.categories, *((edits.overall,) if edits.overall else ()))
    for each in found:
        rows = (("edit", each.g_rir), ("no edit", each.control), ("placebo", each.placebo))
        for side, score in rows:
            none = "none (greedy)" if side == "no edit" and edits.editing.greedy else glyphs.none
            table.add_row(
                Text(escape(each.name, NAME) if side == "edit" else "", "bold"),
                side,
                str(score.raw.tasks) if score else "",
                format_range(score.raw) if score else none,
                f"{score.clipped:.3f}" if score else "",
            )
        if each.gain is not None:
            gain = each.gain
            table.add_row("", "edit - no edit", str(gain.tasks), format_range(gain), "")
    return table


def make_own_table(edits: EditSummary, glyphs: Glyphs) -> Table:
    """Makes the table of the edited prompts, the clean and the other perturbed ones, the cost."""
    table = make_table(
        glyphs, "", "self", "clean", "perturbed", "repaired", "broke", "s", "MB", "drift"
    )
    for found in edits.categories:
        own = found.own
        table.add_row(
            Text(escape(found.name, NAME), "bold"),
            format_arrow(own.before, own.after) if own else glyphs.none,
            format_shift(found.clean, glyphs),
            format_shift(found.perturbed, glyphs),
            str(len(found.perturbed.repaired)),
            str(len(found.clean.broken) + len(found.perturbed.broken)),
            *format_cost(found, glyphs),
        )
    return table


def make_steps_table(edits: EditSummary, glyphs: Glyphs) -> Table:
    """Makes one row an edited model: of each request, or of each checkpoint of a succession.

    Only a succession shows how its drift grows; a request's name needs the room.
    """
    succeeding = edits.editing.regime == "successive"
    first, last = ("edits", ("drift",)) if succeeding else ("edit", ())
    table = make_table(glyphs, first, "self", "clean", "perturbed", "G-RIR", *last)
    for record, found in edits.steps:
        own = found.own
        table.add_row(
            Text(name_step(record, succeeding=succeeding), "bold"),
            format_arrow(own.before, own.after) if own else glyphs.none,
            format_shift(found.clean, glyphs),
            format_shift(found.perturbed, glyphs),
            format_range(found.g_rir.raw) if found.g_rir else glyphs.none,
            *format_cost(found, glyphs)[2 : 2 + len(last)],
        )
    return table


def name_step(record: EditRecord, *, succeeding: bool) -> str:
    """Names a step: "C1: 5" edits so far, or "C1: HumanEval/3"."""
    if succeeding:
        return f"{record.perturbation}: {record.number}"
    return f"{record.perturbation}: {escape(', '.join(record.tasks), NAME)}"


def format_rate(condition: ConditionSummary, k: int, glyphs: Glyphs) -> str:
    return format_interval(condition.scores[k].pass_at_k, glyphs)


def format_shift(found: Shift, glyphs: Glyphs) -> str:
    """Formats pass@1 of prompts before and after: 0.540>0.610."""
    if found.before is None or found.after is None:
        return glyphs.none
    return format_arrow(found.before, found.after)


def format_arrow(before: float, after: float) -> str:
    return f"{before:.3f}>{after:.3f}"


def format_cost(found: EditMetrics, glyphs: Glyphs) -> tuple[str, str, str]:
    """Formats seconds, megabytes and drift, each of the edit where it is largest."""
    drift = glyphs.none if found.drift is None else f"{found.drift:.1e}"
    return f"{found.seconds:.1f}", f"{found.peak_mb:.0f}", drift
