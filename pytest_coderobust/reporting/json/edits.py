"""The JSON of edits: the numbers that the terminal shows, and every prompt behind them."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_coderobust.metrics.edits import EditMetrics, EditScore, EditSummary, Shift
from pytest_coderobust.metrics.resampling import Spread
from pytest_coderobust.records.codec import encode
from pytest_coderobust.records.editing import EditRecord, ItemChange, Passes, Trial


def encode_edits(edits: EditSummary) -> dict[str, object]:
    editing = edits.editing
    refused = {name: list(reasons) for name, reasons in editing.refused.items()}
    found = (*edits.categories, *((edits.overall,) if edits.overall else ()))
    return {
        "editors": list(editing.editors),
        "regime": editing.regime,
        "requests": editing.requests,
        "drawn": editing.drawn,
        "greedy": editing.greedy,
        "unedited": dict(editing.unedited),
        "notes": list(editing.notes),
        **({"refused": refused} if refused else {}),
        **({"traced": [encode(each) for each in editing.traced]} if editing.traced else {}),
        "metrics": {each.name: encode_metrics(each) for each in found},
        "layers": {str(layer): count for layer, count in edits.layers.items()},
        "steps": [
            {**encode_record(record), "metrics": encode_metrics(each)}
            for record, each in edits.steps
        ],
    }


def encode_metrics(found: EditMetrics) -> dict[str, object]:
    own = found.own
    return {
        "edits": found.edits,
        "self": {"original": own.original, "before": own.before, "after": own.after}
        if own
        else None,
        "g_rir": encode_score(found.g_rir),
        "no_edit": encode_score(found.control),
        "placebo": encode_score(found.placebo),
        "gain": encode_spread(found.gain),
        "undefined": found.undefined,
        "clean": encode_shift(found.clean),
        "perturbed": encode_shift(found.perturbed),
        "seconds": found.seconds,
        "peak_mb": found.peak_mb,
        "drift": found.drift,
    }


def encode_score(found: EditScore | None) -> dict[str, object] | None:
    if found is None:
        return None
    return {**(encode_spread(found.raw) or {}), "clipped": found.clipped, "pairs": found.pairs}


def encode_spread(found: Spread | None) -> dict[str, object] | None:
    if found is None:
        return None
    ends = None if found.low is None or found.high is None else [found.low, found.high]
    return {"value": found.value, "interval": ends, "tasks": found.tasks}


def encode_shift(found: Shift) -> dict[str, object]:
    """Encodes pass@1 before and after, and the prompts that changed sides."""
    return {
        "prompts": found.prompts,
        "before": found.before,
        "after": found.after,
        "repaired": list(found.repaired),
        "broken": list(found.broken),
    }


def encode_record(record: EditRecord) -> dict[str, object]:
    """Encodes one edited model, with the counts of every prompt."""
    return {
        "perturbation": record.perturbation,
        "number": record.number,
        "tasks": list(record.tasks),
        "kind": record.facts.kind,
        "layers": list(record.facts.layers),
        "own": [encode_trial(trial) for trial in record.own],
        "trials": [encode_trial(trial) for trial in record.trials],
        "clean": [encode_change(change) for change in record.clean],
        "perturbed": [encode_change(change) for change in record.perturbed],
    }


def encode_trial(trial: Trial) -> dict[str, object]:
    return {
        "task": trial.task,
        "seed": trial.seed,
        "original": encode_passes(trial.original),
        "before": encode_passes(trial.before),
        "after": encode_passes(trial.after),
        "no_edit": encode_passes(trial.control) if trial.control else None,
        "placebos": [encode_passes(placebo) for placebo in trial.placebos],
    }


def encode_change(change: ItemChange) -> Mapping[str, object]:
    return {
        "task": change.task,
        "seed": change.seed,
        "before": encode_passes(change.before),
        "after": encode_passes(change.after),
    }


def encode_passes(found: Passes) -> list[int]:
    """Encodes the samples that pass, and all of them."""
    return [found.c, found.n]
