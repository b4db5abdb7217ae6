"""Conditions beside their clean prompts and seeds by themselves, against a count by hand."""

from __future__ import annotations

from math import fsum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.metrics_runs import Outcome, suite_run

from pytest_coderobust.metrics.clean_pairs import pair_conditions
from pytest_coderobust.metrics.seed_scores import score_seeds
from pytest_coderobust.metrics.summary import summarise

CELLS = ("clean", "C1-s0", "C1-s1", "W1-s0")
HAND: dict[str, dict[str, Outcome]] = {
    "T/0": {"clean": 1, "C1-s0": 1, "C1-s1": 0, "W1-s0": 1},
    "T/1": {"clean": 1, "C1-s0": 0, "C1-s1": 0, "W1-s0": "skip"},
    "T/2": {"clean": 0, "C1-s0": 1, "C1-s1": 0, "W1-s0": 1},
    "T/3": {"clean": 0, "C1-s0": 0, "C1-s1": 0, "W1-s0": "skip"},
}
outcomes = st.integers(0, 4)
rows = st.tuples(outcomes, *(st.one_of(st.just("skip"), outcomes) for _ in CELLS[1:]))
tables = st.lists(rows, min_size=1, max_size=8).map(
    lambda found: {f"T/{n}": dict(zip(CELLS, row, strict=True)) for n, row in enumerate(found)}
)


def test_the_hand_worked_run() -> None:
    run = suite_run(HAND)
    pairs = {pair.condition: pair for pair in pair_conditions(run, summarise(run).conditions)}
    own = pairs["C1"]
    assert (own.robust, own.broken, own.fixed, own.unsolved) == (1, 3, 1, 3)
    assert own.clean is not None
    assert own.clean.value == 0.5
    # W1 is measured on T/0 and T/2 alone, and so is its clean rate.
    words = pairs["W1"]
    assert (words.tasks, words.robust, words.broken, words.fixed) == (2, 1, 0, 1)
    assert words.clean is not None
    assert words.clean.value == 0.5
    everything = pairs["all"]
    assert (everything.broken, everything.fixed, everything.items) == (3, 2, 10)
    assert "clean" not in pairs
    seeds = {score.cell.label: score for score in score_seeds(run)}
    assert [(s.tasks, s.rd, s.broken) for s in seeds.values()] == [
        (4, 0.0, 1), (4, 1.0, 2), (2, -1.0, 0),
    ]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(tables)
def test_pairs_and_seeds_agree_with_the_summary(table: dict[str, dict[str, Outcome]]) -> None:
    run = suite_run(table, n=4, levels={"C1": "character", "W1": "word"})
    summary = summarise(run)
    pairs = pair_conditions(run, summary.conditions)
    perturbed = [found for found in summary.conditions if found.kind != "clean"]
    assert [pair.condition for pair in pairs] == [found.name for found in perturbed]
    for pair, found in zip(pairs, perturbed, strict=True):
        assert (pair.robust, pair.broken, pair.items) == (found.robust, found.broken, found.items)
        assert pair.fixed + pair.unsolved == found.unsolved
        assert (pair.tasks, pair.perturbed) == (found.tasks, found.scores[1].pass_at_k)
        assert (pair.clean.value if pair.clean else None) == found.scores[1].clean
        own = [
            (row["clean"], row[label])
            for row in table.values()
            for label in CELLS[1:]
            if label.rpartition("-")[0] in found.members and row[label] != "skip"
        ]
        # Solved is half of the four samples, and at least one.
        assert pair.fixed == sum(c < 2 <= p for c, p in own if not isinstance(p, str))
    for score in score_seeds(run):
        values = [
            (row["clean"], row[score.cell.label])
            for row in table.values()
            if row[score.cell.label] != "skip"
        ]
        clean, seen = (fsum(float(pair[side]) for pair in values) for side in (0, 1))
        assert score.tasks == len(values)
        assert score.rd == (pytest.approx((clean - seen) / clean) if clean else None)
        if values:
            assert score.pass_at_k == pytest.approx(seen / 4 / len(values))
