"""The numbers about edits, worked by hand; and noise alone, which no number may take for an edit."""

from __future__ import annotations

import random

import pytest

from pytest_coderobust.metrics.edits import EditSummary, measure_edits, summarise_edits
from pytest_coderobust.metrics.resampling import measure_spread
from pytest_coderobust.records.editing import (
    EditFacts,
    Editing,
    EditRecord,
    ItemChange,
    Passes,
    RunRegime,
    Trial,
    dump,
    load,
)

TEN = 10


def trial(task: str, original: int, before: int, after: int, control: int, *placebos: int) -> Trial:
    drawn = [Passes(TEN, c) for c in (original, before, after, control)]
    return Trial(task, 0, *drawn, placebos=tuple(Passes(TEN, c) for c in placebos))


def change(task: str, before: int, after: int) -> ItemChange:
    return ItemChange(task, 0, Passes(1, before), Passes(1, after))


def record(name: str, number: int, *trials: Trial, layer: int = 2) -> EditRecord:
    return EditRecord(
        perturbation=name,
        number=number,
        tasks=(f"request-{number}",),
        facts=EditFacts(layers=(layer,), seconds=number, peak_mb=5.0, drift=0.1 * number),
        own=(trial(f"request-{number}", 10, 0, 8, 0),),
        trials=trials,
        clean=(change("T1", 1, 1), change("T2", 1, 0)),
        perturbed=(change("T1", 0, 1), change("T2", 0, 1), change("T3", 1, 0), change("T4", 1, 1)),
    )


def editing(*records: EditRecord, regime: RunRegime = "instant") -> Editing:
    return Editing(("creme",), regime, 1, False, "T=0.2, n=10", records)


def summary(*records: EditRecord, regime: RunRegime = "instant") -> EditSummary:
    return summarise_edits(editing(*records, regime=regime), 0.5)


def test_edit_and_both_controls_by_hand() -> None:
    found = summary(
        record("C1", 1, trial("A", 10, 0, 5, 1, 0, 0, 0), trial("B", 8, 4, 3, 4, 8, 4, 4))
    ).categories[0]
    a, b = 0.5 / 1.00001, -0.1 / 0.40001
    assert found.g_rir is not None
    assert found.control is not None
    assert found.placebo is not None
    assert found.gain is not None
    assert found.g_rir.raw.value == pytest.approx((a + b) / 2)
    assert found.g_rir.clipped == pytest.approx(a / 2)
    assert found.control.raw.value == pytest.approx((0.1 / 1.00001 + 0.0) / 2)
    assert found.gain.value == pytest.approx((0.4 / 1.00001 - 0.1 / 0.40001) / 2)
    assert found.placebo.raw.value == pytest.approx((0.4 / 0.40001 / 2 + 0 + 0) / 3)
    assert found.own is not None
    assert (found.own.original, found.own.before, found.own.after) == (1.0, 0.0, 0.8)


def test_changed_prompts_are_named() -> None:
    found = summary(record("C1", 1)).categories[0]
    assert (found.clean.before, found.clean.after) == (1.0, 0.5)
    assert found.clean.broken == ("T2",)
    assert (found.perturbed.before, found.perturbed.after) == (0.5, 0.75)
    assert (found.perturbed.repaired, found.perturbed.broken) == (("T1", "T2"), ("T3",))
    assert (found.g_rir, found.control, found.gain) == (None, None, None)


def test_categories_count_once_and_layers_are_counted() -> None:
    whole, nothing = trial("A", 10, 0, 10, 0), trial("A", 10, 0, 0, 0)
    found = summary(
        record("C1", 1, whole), record("C1", 2, whole, layer=4), record("C2", 1, nothing)
    )
    assert found.overall is not None
    assert found.overall.g_rir is not None
    assert found.overall.g_rir.raw.value == pytest.approx(0.5, abs=1e-4)
    assert found.layers == {2: 2, 4: 1}
    assert found.categories[0].drift == pytest.approx(0.2)


def test_successive_edits_end_in_one_model() -> None:
    found = summary(
        record("C1", 1, trial("A", 10, 0, 10, 0)),
        record("C1", 2, trial("A", 10, 0, 0, 0)),
        regime="successive",
    )
    assert found.categories[0].edits == 1
    assert found.categories[0].g_rir is not None
    assert found.categories[0].g_rir.raw.value == 0.0
    assert len(found.steps) == 2


def test_greedy_has_no_control() -> None:
    one = Trial("A", 0, Passes(1, 1), Passes(1, 0), Passes(1, 1))
    found = summary(record("C1", 1, one)).categories[0]
    assert (found.control, found.placebo, found.gain) == (None, None, None)


def test_a_record_survives_the_ledger() -> None:
    made = record("C1", 3, trial("A", 10, 1, 2, 3, 4, 5, 6))
    assert load(dump(made)) == made


def noise_record(seed: int, tasks: int) -> EditRecord:
    """Every prompt passes by a coin's toss; those that came out low are picked and drawn again."""
    coin = random.Random(seed)

    def draw() -> Passes:
        return Passes(TEN, sum(coin.random() < 0.5 for _ in range(TEN)))

    picked: list[Trial] = []
    for index in range(tasks):
        clean, perturbed = draw(), draw()
        if clean.c >= 5 > perturbed.c:
            picked.append(
                Trial(f"T{index}", 0, draw(), draw(), draw(), draw(), (draw(), draw(), draw()))
            )
    return record("C1", 1, *picked)


def test_noise_alone_scores_like_its_control_and_above_zero() -> None:
    # Clean, before and after are exchangeable, so the mean of (after - before) / (clean - before)
    # over clean > before is 1/2 for an editor that does nothing.
    found = measure_edits("C1", [[noise_record(1, 3000)]], 0.5)
    assert found.g_rir is not None
    assert found.control is not None
    assert found.gain is not None
    edit, control = found.g_rir.raw, found.control.raw
    for one in (edit, control):
        assert one.low is not None
        assert one.high is not None
        assert 0.1 < one.low <= 0.5 <= one.high
    assert edit.low is not None
    assert edit.high is not None
    assert edit.low <= control.value <= edit.high
    assert found.gain.low is not None
    assert found.gain.high is not None
    assert found.gain.low <= 0.0 <= found.gain.high


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(60):
        coin = random.Random(seed)
        row = [(f"T{i}", coin.gauss(0.3, 1.0)) for i in range(40)]
        found = measure_spread([[row]])
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.3 <= found.high
    assert covered >= 51  # 95 % of 60 is 57; below 51 chance is less than 1 in 100


def test_interval_agrees_with_scipy_on_independent_values() -> None:
    import numpy as np
    from scipy.stats import bootstrap

    values = [0.1 * (i % 7) - 0.02 * i for i in range(30)]
    found = measure_spread([[[(f"T{i}", value) for i, value in enumerate(values)]]])
    assert found is not None
    reference = bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20000, rng=np.random.default_rng(1)
    ).confidence_interval
    assert found.low == pytest.approx(reference.low, abs=0.02)
    assert found.high == pytest.approx(reference.high, abs=0.02)


def test_one_task_has_no_interval() -> None:
    found = measure_spread([[[("A", 0.5)], [("A", 1.0)]]])
    assert found is not None
    assert (found.value, found.low, found.high, found.tasks) == (0.75, None, None, 1)
