"""The numbers of a training grid, against hand-worked tables, SciPy and their definitions."""

from __future__ import annotations

import random
from typing import Any

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from support.metrics_runs import Outcome, suite_run

from pytest_coderobust.metrics.rank_sums import adjust_holm
from pytest_coderobust.metrics.training_grid import GridModel, GridNumbers, measure_grid

LEVELS = {"C1": "character", "W2": "word"}


def model(
    trained: str, clean: list[int], c1: list[int], w2: list[int], *, level: str = "", **more: object
) -> GridModel:
    rows: dict[str, dict[str, Outcome]] = {
        f"T/{n}": {"clean": clean[n], "C1-s0": c1[n], "W2-s0": w2[n]} for n in range(len(clean))
    }
    fields = {"base": "tiny", "seed": 42, "steps": 3, **more}
    return GridModel(trained=trained, level=level, run=suite_run(rows, levels=LEVELS), **fields)  # type: ignore[arg-type]


def ones(solved: int, of: int = 10) -> list[int]:
    return [1] * solved + [0] * (of - solved)


CONTROL = model("clean", ones(8), ones(4), ones(6))
ROBUST = model("C1", ones(6), ones(5), ones(5), level="character")
MIXED = model("mix_all", ones(8), ones(7), ones(6), level="mixed", steps=6)


def test_rd_is_also_shown_with_the_clean_rate_of_the_control() -> None:
    """Here RD falls by the lower clean rate alone: as much is solved perturbed as before."""
    found = measure_grid([CONTROL, ROBUST], "clean", 0.05)
    control, own = found.models
    assert (control.rd_held, control.changes, control.matched) == (None, (), None)
    assert control.rd is not None
    assert control.rd.value == pytest.approx((8 - 5) / 8)
    assert own.rd is not None
    assert own.rd_held is not None
    assert own.rd.value == pytest.approx((6 - 5) / 6)
    assert own.rd_held.value == pytest.approx((8 - 5) / 8)
    assert own.rd_held.low <= own.rd_held.value <= own.rd_held.high
    changes = {(each.condition, each.measure): each for each in own.changes}
    assert changes["clean", "pass@1"].change == pytest.approx(-0.2)
    assert changes["all", "pass@1"].change == pytest.approx(0.0)
    assert changes["C1", "pass@1"].p == pytest.approx(1.0)
    assert own.matched is True


def test_steps_are_compared_and_a_base_is_only_shown() -> None:
    base = model("", ones(8), ones(3), ones(3), seed=None, steps=0)
    found = measure_grid([base, CONTROL, MIXED], "clean", 0.05)
    assert [entry.matched for entry in found.models] == [None, None, False]
    assert found.models[0].changes == ()
    assert {test.level for test in found.levels} == {"mixed", "character", "word"}


def test_without_a_control_nothing_is_compared() -> None:
    found = measure_grid([ROBUST, MIXED], "clean", 0.05)
    assert (found.control, found.levels) == ("", ())
    assert all(entry.changes == () and entry.rd_held is None for entry in found.models)


def test_each_model_has_the_control_of_its_own_base_and_seed() -> None:
    other = model("clean", ones(2), ones(1), ones(1), seed=7)
    found = measure_grid([CONTROL, other, ROBUST], "clean", 0.05)
    assert found.models[2].changes[0].before == pytest.approx(0.8)
    lone = model("C1", ones(6), ones(5), ones(5), level="character", seed=8)
    found = measure_grid([CONTROL, lone], "clean", 0.05)
    assert (found.control, found.models[1].changes) == ("clean", ())


def many(seed: int) -> GridNumbers:
    draw = random.Random(seed)
    models: list[GridModel] = []
    for base in ("a", "b", "c"):
        for trained, level in (("clean", ""), ("C1", "character"), ("C2", "character")):
            columns = [[draw.randint(0, 1) for _ in range(13)] for _ in range(3)]
            models.append(model(trained, *columns, level=level, base=base))
    return measure_grid(models, "clean", 0.05)


def test_levels_are_tested_as_scipy_does_and_adjusted_together() -> None:
    found = many(1)
    passed = [c for entry in found.models for c in entry.changes if c.measure == "pass@1"]
    by_level = {
        ("training", "character"): [c.change for c in passed if c.condition in ("C1", "W2")],
        ("test", "character"): [c.change for c in passed if c.condition == "C1"],
        ("test", "word"): [c.change for c in passed if c.condition == "W2"],
    }
    tests = {(t.side, t.level): t for t in found.levels if t.measure == "pass@1"}
    assert tests.keys() == by_level.keys()
    for key, changes in by_level.items():
        own = tests[key]
        kept = [round(change, 9) for change in changes if round(change, 9)]
        assert (own.pairs, own.test is not None and own.test.n) == (len(changes), len(kept))
        assert own.mean == pytest.approx(sum(changes) / len(changes))
        assert own.spread is not None
        assert own.spread.value == pytest.approx(own.mean)
        wanted: Any = scipy.stats.wilcoxon(kept, method="approx", correction=False)
        assert own.test is not None
        if not own.test.exact:
            assert own.test.p == pytest.approx(wanted.pvalue)
        assert own.test.w == pytest.approx(wanted.statistic)
        assert own.test.r == pytest.approx(abs(wanted.zstatistic) / len(kept) ** 0.5)
    ps = [t.test.p for t in found.levels if t.test is not None]
    assert [t.holm for t in found.levels if t.test is not None] == list(adjust_holm(ps))


def test_p_values_of_the_whole_grid_are_adjusted_together() -> None:
    found = many(2)
    changes = [(entry, c) for entry in found.models for c in entry.changes if c.p is not None]
    assert len(changes) == 6 * 4  # clean, C1, W2 and all, of six trainings
    adjusted = adjust_holm([c.p for _, c in changes if c.p is not None])
    assert [entry.holm[c.condition] for entry, c in changes] == list(adjusted)


@settings(max_examples=20)
@given(st.integers(0, 2**30), st.integers(1, 12))
def test_held_rd_is_rd_where_clean_rates_agree(seed: int, size: int) -> None:
    draw = random.Random(seed)
    clean = [draw.randint(0, 1) for _ in range(size)]
    columns = [[draw.randint(0, 1) for _ in range(size)] for _ in range(4)]
    control = model("clean", clean, *columns[:2])
    own = model("C1", clean, *columns[2:], level="character")
    entry = measure_grid([control, own], "clean", 0.05).models[1]
    if any(clean):
        assert entry.rd is not None
        assert entry.rd_held is not None
        assert entry.rd_held.value == pytest.approx(entry.rd.value)
    else:
        assert (entry.rd, entry.rd_held) == (None, None)
