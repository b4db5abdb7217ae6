"""The machine's report of edits: what the terminal shows, and every prompt behind it."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_coderobust.metrics.edits import EditMetrics, EditScore, EditSummary, Shift
from pytest_coderobust.metrics.resampling import Spread
from pytest_coderobust.records.editing import EditRecord, ItemChange, Passes, Trial


def edit_object(edits: EditSummary) -> dict[str, object]:
    """Everything about the edits of a run."""
    editing = edits.editing
    found = (*edits.categories, *((edits.overall,) if edits.overall else ()))
    return {
        "editors": list(editing.editors),
        "regime": editing.regime,
        "requests": editing.requests,
        "drawn": editing.drawn,
        "greedy": editing.greedy,
        "unedited": dict(editing.unedited),
        "notes": list(editing.notes),
        "metrics": {each.name: metrics_object(each) for each in found},
        "layers": {str(layer): count for layer, count in edits.layers.items()},
        "steps": [
            {**record_object(record), "metrics": metrics_object(each)}
            for record, each in edits.steps
        ],
    }


def metrics_object(found: EditMetrics) -> dict[str, object]:
    """The numbers of one edited model or category."""
    own = found.own
    return {
        "edits": found.edits,
        "self": {"original": own.original, "before": own.before, "after": own.after}
        if own
        else None,
        "g_rir": score_object(found.g_rir),
        "no_edit": score_object(found.control),
        "placebo": score_object(found.placebo),
        "gain": spread_object(found.gain),
        "undefined": found.undefined,
        "clean": shift_object(found.clean),
        "perturbed": shift_object(found.perturbed),
        "seconds": found.seconds,
        "peak_mb": found.peak_mb,
        "drift": found.drift,
    }


def score_object(found: EditScore | None) -> dict[str, object] | None:
    """One G-RIR in both forms."""
    if found is None:
        return None
    return {**(spread_object(found.raw) or {}), "clipped": found.clipped, "pairs": found.pairs}


def spread_object(found: Spread | None) -> dict[str, object] | None:
    """A value with its interval."""
    if found is None:
        return None
    ends = None if found.low is None or found.high is None else [found.low, found.high]
    return {"value": found.value, "interval": ends, "tasks": found.tasks}


def shift_object(found: Shift) -> dict[str, object]:
    """pass@1 before and after, and the prompts whose outcome turned."""
    return {
        "prompts": found.prompts,
        "before": found.before,
        "after": found.after,
        "repaired": list(found.repaired),
        "broken": list(found.broken),
    }


def record_object(record: EditRecord) -> dict[str, object]:
    """One edited model, with the counts of every prompt."""
    return {
        "perturbation": record.perturbation,
        "number": record.number,
        "tasks": list(record.tasks),
        "kind": record.facts.kind,
        "layers": list(record.facts.layers),
        "own": [trial_object(trial) for trial in record.own],
        "trials": [trial_object(trial) for trial in record.trials],
        "clean": [change_object(change) for change in record.clean],
        "perturbed": [change_object(change) for change in record.perturbed],
    }


def trial_object(trial: Trial) -> dict[str, object]:
    """One scored prompt."""
    return {
        "task": trial.task,
        "seed": trial.seed,
        "original": passes(trial.original),
        "before": passes(trial.before),
        "after": passes(trial.after),
        "no_edit": passes(trial.control) if trial.control else None,
        "placebos": [passes(placebo) for placebo in trial.placebos],
    }


def change_object(change: ItemChange) -> Mapping[str, object]:
    """One prompt before and after."""
    return {
        "task": change.task,
        "seed": change.seed,
        "before": passes(change.before),
        "after": passes(change.after),
    }


def passes(found: Passes) -> list[int]:
    """Samples that pass, and samples."""
    return [found.c, found.n]
