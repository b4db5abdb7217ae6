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
from pytest_coderobust.reporting.edit_rows import heading, ranged, remarks
from pytest_coderobust.reporting.figures import distinct
from pytest_coderobust.reporting.hostile import visible
from pytest_coderobust.reporting.terminal.tables import (
    NAME,
    Glyphs,
    bare_table,
    interval,
    label,
    number,
)


def edit_parts(run: SuiteRun, summary: Summary, glyphs: Glyphs) -> Iterator[RenderableType]:
    """Everything about the edits of a run; nothing where the model was not edited."""
    edits, base = summary.edits, summary.base
    if run.editing is None or edits is None or base is None:
        return
    yield ""
    first, *rest = heading(run.editing)
    yield Text.assemble(("edit ", "bold"), " ", first)
    yield from (Text(f"      {words}") for words in rest)
    yield ""
    yield compared_table(run, base, summary, glyphs)
    if edits.categories:
        yield ""
        yield restored_table(edits, glyphs)
        yield ""
        yield own_table(edits, glyphs)
    if len(edits.steps) > len(edits.categories):
        yield ""
        yield steps_table(edits, glyphs)
    yield ""
    yield from map(Text, remarks(run.editing, edits, bars=True))


def compared_table(run: SuiteRun, base: Summary, edited: Summary, glyphs: Glyphs) -> Table:
    """Base beside edited model, under the suite's own sampling, without the tasks edited on."""
    k = min(run.ks)
    table = bare_table(
        glyphs, "condition", "tasks", f"pass@{k} base", "edited", "RD base", "edited"
    )
    unedited = run.editing.unedited if run.editing else {}
    after = {found.name: found for found in edited.conditions}
    for before in distinct(base):
        now = after[before.name]
        none = any(name in unedited for name in before.members)
        clean = before.kind == "clean"
        lost = clean and bool(unedited) and not (edited.edits and edited.edits.categories)
        table.add_row(
            label(before),
            str(before.tasks),
            rate(before, k, glyphs),
            glyphs.none if none or lost else rate(now, k, glyphs),
            "" if clean else number(before.scores[k].rd, glyphs),
            "" if clean else (glyphs.none if none else number(now.scores[k].rd, glyphs)),
        )
    return table


def restored_table(edits: EditSummary, glyphs: Glyphs) -> Table:
    """G-RIR of each category: of the edit, of both controls, and what the edit has beyond noise."""
    table = bare_table(glyphs, "", "", "tasks", "G-RIR (95%)", "clipped")
    table.columns[1].justify = "left"
    found = (*edits.categories, *((edits.overall,) if edits.overall else ()))
    for each in found:
        rows = (("edit", each.g_rir), ("no edit", each.control), ("placebo", each.placebo))
        for side, score in rows:
            none = "none (greedy)" if side == "no edit" and edits.editing.greedy else glyphs.none
            table.add_row(
                Text(visible(each.name, NAME) if side == "edit" else "", "bold"),
                side,
                str(score.raw.tasks) if score else "",
                ranged(score.raw) if score else none,
                f"{score.clipped:.3f}" if score else "",
            )
        if each.gain is not None:
            gain = each.gain
            table.add_row("", "edit - no edit", str(gain.tasks), ranged(gain), "")
    return table


def own_table(edits: EditSummary, glyphs: Glyphs) -> Table:
    """The edited prompts themselves, clean and all other perturbed prompts, and the cost."""
    table = bare_table(
        glyphs, "", "self", "clean", "perturbed", "repaired", "broke", "s", "MB", "drift"
    )
    for found in edits.categories:
        own = found.own
        table.add_row(
            Text(visible(found.name, NAME), "bold"),
            arrow(own.before, own.after) if own else glyphs.none,
            shifted(found.clean, glyphs),
            shifted(found.perturbed, glyphs),
            str(len(found.perturbed.repaired)),
            str(len(found.clean.broken) + len(found.perturbed.broken)),
            *cost(found, glyphs),
        )
    return table


def steps_table(edits: EditSummary, glyphs: Glyphs) -> Table:
    """One row an edited model: each request's, or each checkpoint of a succession.

    Only a succession shows how its drift grows; a request's name needs the room.
    """
    succeeding = edits.editing.regime == "successive"
    first, last = ("edits", ("drift",)) if succeeding else ("edit", ())
    table = bare_table(glyphs, first, "self", "clean", "perturbed", "G-RIR", *last)
    for record, found in edits.steps:
        own = found.own
        table.add_row(
            Text(step_name(record, succeeding=succeeding), "bold"),
            arrow(own.before, own.after) if own else glyphs.none,
            shifted(found.clean, glyphs),
            shifted(found.perturbed, glyphs),
            ranged(found.g_rir.raw) if found.g_rir else glyphs.none,
            *cost(found, glyphs)[2 : 2 + len(last)],
        )
    return table


def step_name(record: EditRecord, *, succeeding: bool) -> str:
    """ "C1: 5 edits", or "C1: HumanEval/3"."""
    if succeeding:
        return f"{record.perturbation}: {record.number}"
    return f"{record.perturbation}: {visible(', '.join(record.tasks), NAME)}"


def rate(condition: ConditionSummary, k: int, glyphs: Glyphs) -> str:
    """pass@k with its interval."""
    return interval(condition.scores[k].pass_at_k, glyphs)


def shifted(found: Shift, glyphs: Glyphs) -> str:
    """0.54>0.61, of prompts before and after."""
    if found.before is None or found.after is None:
        return glyphs.none
    return arrow(found.before, found.after)


def arrow(before: float, after: float) -> str:
    """Before and after."""
    return f"{before:.3f}>{after:.3f}"


def cost(found: EditMetrics, glyphs: Glyphs) -> tuple[str, str, str]:
    """Seconds, megabytes and drift of the costliest edit."""
    drift = glyphs.none if found.drift is None else f"{found.drift:.1e}"
    return f"{found.seconds:.1f}", f"{found.peak_mb:.0f}", drift
