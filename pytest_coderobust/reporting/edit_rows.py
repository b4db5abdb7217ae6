"""The edits of a run as plain tables, for the formats that draw tables of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_coderobust.metrics.edits import EditSummary
from pytest_coderobust.metrics.resampling import Spread
from pytest_coderobust.metrics.summary import Summary
from pytest_coderobust.records import SuiteRun
from pytest_coderobust.records.editing import Editing
from pytest_coderobust.reporting.figures import (
    NONE,
    format_estimate,
    format_number,
    pick_conditions,
)
from pytest_coderobust.reporting.hostile import escape

NAME = 80
"""Characters of a name in a table that are shown."""

SHORT = 40
"""Characters of a name in a sentence that are shown."""

NAMED = 5
"""Changed prompts that are named; the JSON document has them all."""

BAR = 20
"""Characters of the bar of the layer that most edits wrote."""


@dataclass(frozen=True, slots=True)
class EditTables:
    """The tables and sentences of a report about edits.

    Attributes:
        heading: the editors; then the requests, and the sampling of their scores.
        compared: base beside edited, a condition a row, under `COMPARED`.
        restored: G-RIR of each perturbation and of its controls, under `RESTORED`.
        layers: each written layer, its number of edits, and that as a share of the largest.
        remarks: sentences on the tables and on the prompts that changed.
    """

    heading: tuple[str, ...]
    compared: tuple[tuple[str, ...], ...]
    restored: tuple[tuple[str, ...], ...]
    layers: tuple[tuple[str, int, float], ...]
    remarks: tuple[str, ...]


RESTORED = ("perturbation", "model", "tasks", "G-RIR (95 %)", "clipped")


def name_compared(run: SuiteRun) -> tuple[str, ...]:
    """Names the columns of `EditTables.compared`."""
    k = min(run.ks)
    return ("condition", "tasks", f"pass@{k} base", f"pass@{k} edited", "RD base", "RD edited")


def make_edit_tables(run: SuiteRun, summary: Summary) -> EditTables | None:
    """Makes the tables; None where the model was not edited."""
    edits, base = summary.edits, summary.base
    if run.editing is None or edits is None or base is None:
        return None
    most = max(edits.layers.values(), default=1)
    return EditTables(
        heading=describe_editing(run.editing),
        compared=tuple(make_compared_rows(run, base, summary)),
        restored=tuple(make_restored_rows(edits)),
        layers=tuple((f"layer {n}", count, count / most) for n, count in edits.layers.items()),
        remarks=tuple(write_remarks(run.editing, edits, bars=False)),
    )


def make_compared_rows(run: SuiteRun, base: Summary, edited: Summary) -> Iterator[tuple[str, ...]]:
    """Makes the rows of base beside edited model, under the suite's own sampling."""
    k = min(run.ks)
    unedited = run.editing.unedited if run.editing else {}
    after = {found.name: found for found in edited.conditions}
    for before in pick_conditions(base):
        scores, now = before.scores[k], after[before.name].scores[k]
        clean = before.kind == "clean"
        none = any(name in unedited for name in before.members)
        yield (
            escape(before.name, NAME),
            str(before.tasks),
            format_estimate(scores.pass_at_k),
            NONE if none else format_estimate(now.pass_at_k),
            "" if clean else format_estimate(scores.rd),
            "" if clean else (NONE if none else format_estimate(now.rd)),
        )


def make_restored_rows(edits: EditSummary) -> Iterator[tuple[str, ...]]:
    """Makes the rows of G-RIR: of the edits, of no edit, and of a placebo."""
    for each in (*edits.categories, *((edits.overall,) if edits.overall else ())):
        sides = (("edited", each.g_rir), ("no edit", each.control), ("placebo", each.placebo))
        for side, score in sides:
            yield (
                escape(each.name, NAME),
                side,
                str(score.raw.tasks) if score else "",
                format_range(score.raw) if score else NONE,
                f"{score.clipped:.3f}" if score else "",
            )
        if each.gain is not None:
            yield escape(each.name, NAME), "edited less no edit", *format_spread(each.gain), ""


def format_spread(found: Spread) -> tuple[str, str]:
    """Formats the tasks, and the value with its interval."""
    return str(found.tasks), format_range(found)


def describe_editing(editing: Editing) -> tuple[str, str]:
    """Describes the editors; then the requests, and the sampling of their scores."""
    stack = " + ".join(escape(editor, 2 * SHORT) for editor in editing.editors)
    if editing.regime == "saved":
        return stack, f"made before; scored on {editing.drawn}"
    requests = "1 request" if editing.requests == 1 else f"{editing.requests} requests"
    how = f", {editing.regime}" if editing.requests > 1 else ""
    return stack, f"{requests} a perturbation{how}; scored on {editing.drawn}"


def write_remarks(editing: Editing, edits: EditSummary, *, bars: bool) -> Iterator[str]:
    """Writes sentences on the tables, the written layers, and the prompts that changed.

    Args:
        bars: whether the layers are drawn as bars of text.
    """
    if edits.categories:
        yield "the tasks that were edited on are self, and in no other number"
        yield "G-RIR: over tasks broken when requests were drawn, scored on later samples"
    for reason in (*editing.unedited.values(), *editing.notes):
        yield escape(reason)
    for name, reasons in editing.refused.items():
        if name not in editing.unedited or len(reasons) > 1:
            counted = "1 request" if len(reasons) == 1 else f"{len(reasons)} requests"
            yield f"{escape(name)}: {counted} refused: {group_refusals(reasons)}"
    if bars and edits.layers:
        most = max(edits.layers.values())
        for layer, count in edits.layers.items():
            bar = "#" * max(1, round(BAR * count / most))
            yield f"layer {layer:>3} {bar} {count}"
    for found in edits.categories:
        for what, names in (
            ("repaired", found.perturbed.repaired),
            ("newly broken", found.perturbed.broken),
            ("newly broken clean", found.clean.broken),
        ):
            if names:
                yield f"{escape(found.name, SHORT)} {what}: {name_first(names)}"


def group_refusals(reasons: Sequence[str]) -> str:
    """Groups requests that were refused in the same words: T/1[C1-s0], T/2[C1-s0]: the words."""
    grouped: dict[str, list[str]] = {}
    for reason in reasons:
        label, mark, words = reason.partition("]: ")
        if mark:
            grouped.setdefault(words, []).append(f"{label}]")
        else:
            grouped.setdefault(reason, [])
    return "; ".join(
        (f"{name_first(labels)}: " if labels else "") + escape(words)
        for words, labels in grouped.items()
    )


def name_first(names: Sequence[str]) -> str:
    """Names the first, and counts the others."""
    shown = ", ".join(escape(name, SHORT) for name in names[:NAMED])
    return f"{shown} and {len(names) - NAMED} more" if len(names) > NAMED else shown


def format_range(found: Spread) -> str:
    """Formats a value with its interval: 0.412 (0.22, 0.61)."""
    if found.low is None or found.high is None:
        return format_number(found.value, 3)
    low, high = format_number(found.low, 2), format_number(found.high, 2)
    return f"{format_number(found.value, 3)} ({low}, {high})"
