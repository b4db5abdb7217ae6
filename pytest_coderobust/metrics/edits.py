"""The effect of edits on a suite, with the controls that tell an effect from noise.

A G-RIR is a mean over prompts that were picked for being broken, divided by how far they fell;
drawn again from an unchanged model, such prompts gain on average. So three numbers are given
beside it:

* *no edit*: the base model's second draw in the place of the edited model's, with the same noise;
* *placebo*: a random rotation of the edit, of the same norm and rank in the same layer;
* the *gain*: edit minus no edit, task by task, the only one of these numbers that is 0 on average
  for an edit that does nothing.

G-RIR leaves the other prompts out, so their numbers are given too: pass@1 of *all* of them before
and after, and the counts of repaired and newly broken ones. Those prompts were not picked by their
outcome and need no control.

Intervals: the tasks are drawn again (the clustered bootstrap, 95 %) and the requests are not, so
an interval of one request speaks of that request alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_coderobust.metrics.layer_sweep import LayerSweep, sweep_layers
from pytest_coderobust.metrics.outcome import is_solved
from pytest_coderobust.metrics.resampling import ResampledRows, Spread, measure_spread
from pytest_coderobust.metrics.restoration import l_rir
from pytest_coderobust.metrics.robustness import mean
from pytest_coderobust.records.editing import Editing, EditRecord, ItemChange, Passes, Trial

Side = Callable[[Trial], Sequence[Passes]]
"""Picks the draws that count as "after"; several count as edits of their own."""


@dataclass(frozen=True, slots=True)
class EditScore:
    """One G-RIR: raw with its interval, and clipped at 0 from below."""

    raw: Spread
    clipped: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Shift:
    """pass@1 of prompts that no one edited, before and after.

    Attributes:
        prompts: how many; the rates are None of none.
        repaired, broken: the prompts, as "TASK" or "TASK-sSEED", that turned solved, or not.
    """

    prompts: int
    before: float | None
    after: float | None
    repaired: tuple[str, ...]
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Own:
    """pass@1 of the requests' own prompts: clean and perturbed before, perturbed after."""

    original: float
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class EditMetrics:
    """The numbers of one edited model, or of a category's edits together.

    Attributes:
        name: the perturbation; "all" for the mean of the categories.
        edits: edited models behind them.
        own: of the prompts it was edited on; None where none of them belongs to the suite.
        g_rir, control, placebo: None where no trial defines them; the controls also where there
            is none (greedy decoding; an editor that writes no weight).
        gain: edit minus control.
        undefined: trials whose perturbed prompt cost nothing on the second draw.
        seconds: of the slowest edit; peak_mb of the hungriest; drift of the furthest.
    """

    name: str
    edits: int
    own: Own | None
    g_rir: EditScore | None
    control: EditScore | None
    placebo: EditScore | None
    gain: Spread | None
    undefined: int
    clean: Shift
    perturbed: Shift
    seconds: float
    peak_mb: float
    drift: float | None


@dataclass(frozen=True, slots=True)
class EditSummary:
    """All numbers about the edits of one run.

    Attributes:
        categories: one a perturbation with an edited model, in plan order.
        overall: the mean of the categories; None of fewer than two.
        steps: one an edited model, in the order of the records: requests, or checkpoints.
        layers: how many edits wrote each layer, by layer.
        sweeps: where the layers are, of each perturbation whose requests were traced.
    """

    editing: Editing
    categories: tuple[EditMetrics, ...]
    overall: EditMetrics | None
    steps: tuple[tuple[EditRecord, EditMetrics], ...]
    layers: Mapping[int, int]
    sweeps: tuple[LayerSweep, ...] = ()


def summarise_edits(editing: Editing, solved_at: float) -> EditSummary:
    """Computes all numbers about the edits.

    Args:
        solved_at: the share of samples that must pass for a prompt to count as solved.
    """
    grouped: dict[str, list[EditRecord]] = {}
    for record in editing.records:
        grouped.setdefault(record.perturbation, []).append(record)
    # Edits that accumulate end in one model; its checkpoints are the steps towards it.
    final = {
        name: own[-1:] if editing.regime == "successive" else own for name, own in grouped.items()
    }
    categories = tuple(
        measure_edits(name or "every prompt", [own], solved_at) for name, own in final.items()
    )
    last = [record for own in final.values() for record in own]
    return EditSummary(
        editing=editing,
        categories=categories,
        overall=measure_edits("all", list(final.values()), solved_at) if len(final) > 1 else None,
        steps=tuple(
            (record, measure_edits(record.perturbation, [[record]], solved_at))
            for record in editing.records
        ),
        layers=dict(sorted(Counter(layer for r in last for layer in r.facts.layers).items())),
        sweeps=sweep_layers(editing.traced),
    )


def measure_edits(
    name: str, groups: Sequence[Sequence[EditRecord]], solved_at: float
) -> EditMetrics:
    """Measures edits grouped by category; every category counts once in a G-RIR."""
    records = [record for group in groups for record in group]
    drifts = [r.facts.drift for r in records if r.facts.drift is not None]
    return EditMetrics(
        name=name,
        edits=len(records),
        own=average_own_prompts([trial for record in records for trial in record.own]),
        g_rir=score_restoration(groups, lambda trial: (trial.after,)),
        control=score_restoration(groups, lambda trial: (trial.control,) if trial.control else ()),
        placebo=score_restoration(groups, lambda trial: trial.placebos),
        gain=measure_gain(groups),
        undefined=sum(_compute_l_rir(t, t.after) is None for r in records for t in r.trials),
        clean=measure_shift([change for r in records for change in r.clean], solved_at),
        perturbed=measure_shift([change for r in records for change in r.perturbed], solved_at),
        seconds=max((r.facts.seconds for r in records), default=0.0),
        peak_mb=max((r.facts.peak_mb for r in records), default=0.0),
        drift=max(drifts, default=None),
    )


def average_own_prompts(trials: Sequence[Trial]) -> Own | None:
    """Averages over the prompts that the model was edited on."""
    original = mean(trial.original.rate for trial in trials)
    before = mean(trial.before.rate for trial in trials)
    after = mean(trial.after.rate for trial in trials)
    if original is None or before is None or after is None:
        return None
    return Own(original, before, after)


def score_restoration(groups: Sequence[Sequence[EditRecord]], side: Side) -> EditScore | None:
    """Computes G-RIR with that side as "after"; None where no pair defines it."""
    found = [_list_l_rirs(group, side) for group in groups]
    raw = measure_spread(found)
    if raw is None:
        return None
    clipped = measure_spread(
        [[[(t, max(v, 0.0)) for t, v in row] for row in rows] for rows in found]
    )
    assert clipped is not None
    return EditScore(raw, clipped.value, sum(len(row) for rows in found for row in rows))


def measure_gain(groups: Sequence[Sequence[EditRecord]]) -> Spread | None:
    """Computes G-RIR of the edit minus that of the control, pair by pair."""

    def row(record: EditRecord) -> list[tuple[str, float]]:
        pairs = [
            (t.task, _compute_l_rir(t, t.after), _compute_l_rir(t, t.control))
            for t in record.trials
            if t.control
        ]
        return [(task, a - b) for task, a, b in pairs if a is not None and b is not None]

    return measure_spread([[row(record) for record in group] for group in groups])


def measure_shift(changes: Sequence[ItemChange], solved_at: float) -> Shift:
    """Measures pass@1 of the prompts before and after, and names those that changed sides."""
    several = len({change.seed for change in changes}) > 1

    def named(turned: Iterable[ItemChange]) -> tuple[str, ...]:
        names = (f"{c.task}-s{c.seed}" if several else c.task for c in turned)
        return tuple(dict.fromkeys(names))

    def enough(passes: Passes) -> bool:
        return is_solved(passes.n, passes.c, solved_at)

    outcomes = [(c, enough(c.before), enough(c.after)) for c in changes]
    return Shift(
        prompts=len(changes),
        before=mean(change.before.rate for change in changes),
        after=mean(change.after.rate for change in changes),
        repaired=named(c for c, was, now in outcomes if now and not was),
        broken=named(c for c, was, now in outcomes if was and not now),
    )


def _list_l_rirs(group: Sequence[EditRecord], side: Side) -> ResampledRows:
    """Lists each edit's defined L-RIR by task; each draw of a side is a row of its own."""
    rows: ResampledRows = []
    for record in group:
        # A side gives none, one or several draws a trial; the n-th draws of all trials are a row.
        width = max((len(side(trial)) for trial in record.trials), default=0)
        for place in range(width):
            drawn = [(t, side(t)[place]) for t in record.trials if len(side(t)) > place]
            pairs = [(t.task, _compute_l_rir(t, after)) for t, after in drawn]
            rows.append([(task, value) for task, value in pairs if value is not None])
    return rows


def _compute_l_rir(trial: Trial, after: Passes | None) -> float | None:
    if after is None:
        return None
    return l_rir(trial.original.rate, trial.before.rate, after.rate)
