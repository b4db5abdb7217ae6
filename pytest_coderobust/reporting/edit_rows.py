"""The edits of a run as plain tables, for the formats that draw tables of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_coderobust.metrics.edits import EditSummary
from pytest_coderobust.metrics.resampling import Spread
from pytest_coderobust.metrics.summary import Summary
from pytest_coderobust.records import SuiteRun
from pytest_coderobust.reporting.figures import NONE, distinct, estimate
from pytest_coderobust.reporting.hostile import visible
from pytest_coderobust.reporting.terminal.edits import heading, ranged, remarks

NAME = 80


@dataclass(frozen=True, slots=True)
class EditTables:
    """What a report says about edits.

    Attributes:
        heading: which editors; for which requests, scored how.
        compared: base beside edited, a condition a row, under `COMPARED`.
        restored: G-RIR of each perturbation and of its controls, under `RESTORED`.
        layers: each layer that was written, by how many edits, and that as a share of the most.
        remarks: how to read it, and which prompts changed.
    """

    heading: tuple[str, ...]
    compared: tuple[tuple[str, ...], ...]
    restored: tuple[tuple[str, ...], ...]
    layers: tuple[tuple[str, int, float], ...]
    remarks: tuple[str, ...]


RESTORED = ("perturbation", "model", "tasks", "G-RIR (95 %)", "clipped")


def compared_headings(run: SuiteRun) -> tuple[str, ...]:
    """What stands above `EditTables.compared`."""
    k = min(run.ks)
    return ("condition", "tasks", f"pass@{k} base", f"pass@{k} edited", "RD base", "RD edited")


def edit_tables(run: SuiteRun, summary: Summary) -> EditTables | None:
    """The tables; None where the model was not edited."""
    edits, base = summary.edits, summary.base
    if run.editing is None or edits is None or base is None:
        return None
    most = max(edits.layers.values(), default=1)
    said = (line for line in remarks(run.editing, edits) if not line.startswith("layer "))
    return EditTables(
        heading=heading(run.editing),
        compared=tuple(compared(run, base, summary)),
        restored=tuple(restored(edits)),
        layers=tuple((f"layer {n}", count, count / most) for n, count in edits.layers.items()),
        remarks=tuple(said),
    )


def compared(run: SuiteRun, base: Summary, edited: Summary) -> Iterator[tuple[str, ...]]:
    """Base beside edited model, under the suite's own sampling."""
    k = min(run.ks)
    unedited = run.editing.unedited if run.editing else {}
    after = {found.name: found for found in edited.conditions}
    for before in distinct(base):
        scores, now = before.scores[k], after[before.name].scores[k]
        clean = before.kind == "clean"
        none = any(name in unedited for name in before.members)
        yield (
            visible(before.name, NAME),
            str(before.tasks),
            estimate(scores.pass_at_k),
            NONE if none else estimate(now.pass_at_k),
            "" if clean else estimate(scores.rd),
            "" if clean else (NONE if none else estimate(now.rd)),
        )


def restored(edits: EditSummary) -> Iterator[tuple[str, ...]]:
    """G-RIR of the edits beside that of no edit and of a placebo."""
    for each in (*edits.categories, *((edits.overall,) if edits.overall else ())):
        sides = (("edited", each.g_rir), ("no edit", each.control), ("placebo", each.placebo))
        for side, score in sides:
            yield (
                visible(each.name, NAME),
                side,
                str(score.raw.tasks) if score else "",
                ranged(score.raw) if score else NONE,
                f"{score.clipped:.3f}" if score else "",
            )
        if each.gain is not None:
            yield visible(each.name, NAME), "edited less no edit", *spread(each.gain), ""


def spread(found: Spread) -> tuple[str, str]:
    """Tasks, and the value with its interval."""
    return str(found.tasks), ranged(found)
