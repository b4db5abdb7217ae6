"""Unseen perturbations of a suite, and their numbers beside the others."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.metrics_runs import Outcome, suite_run

from coderobust_strategies.catalogue import list_changes, names
from pytest_coderobust.errors import ConfigError
from pytest_coderobust.gates import check_gates, decide, parse_gate
from pytest_coderobust.gates.watch import read_planned
from pytest_coderobust.metrics.paired import compare, count_squares
from pytest_coderobust.metrics.summary import summarise
from pytest_coderobust.metrics.unseen import describe_unseen, pool_unseen
from pytest_coderobust.records import SuiteRun
from pytest_coderobust.records.codec import decode, encode

SOME = st.lists(st.sampled_from(names()), max_size=8, unique=True).map(tuple)


def run(train: tuple[str, ...], c1: int = 2, w2: int = 1) -> SuiteRun:
    rows: dict[str, dict[str, Outcome]] = {
        f"T/{n}": {"clean": 1, "C1-s0": int(n < c1), "W2-s0": int(n < w2), "S2-s0": 1}
        for n in range(4)
    }
    levels = {"C1": "character", "W2": "word", "S2": "sentence"}
    return replace(suite_run(rows, levels=levels), train=train)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("C1", {"character:butter_fingers"}),
        ("C", {f"character:{each}" for each in ("butter_fingers", "swap_characters", "change_case")}),
        ("nlp:A2x3", {"nlperturbator:extra_space_inside_words"}),
        ("nlp:C2", {"nlperturbator:keyboard_typo", "nlperturbator:repeated_char"}),
        ("S1", {"S1"}),  # rewrites: the name is all that is known
        ("recorded-2024", {"recorded-2024"}),
        ("recode:F1", {"recode:F1"}),
    ],
)  # fmt: skip
def test_the_kinds_of_change_of_a_perturbation(name: str, changes: set[str]) -> None:
    assert list_changes(name) == changes


def test_what_was_learnt_in_part_is_in_neither_pool() -> None:
    suite = ("C1", "C2", "mix_all", "nlp:C1", "nlp:A1x2", "W2")
    assert pool_unseen(suite, ("C1", "nlp:A1")) == {
        "trained": ["C1", "nlp:A1x2"],
        "unseen": ["C2", "W2"],
    }
    assert describe_unseen(suite, ("C1", "nlp:A1")) == (
        "trained: C1, nlp:A1x2; unseen: C2, W2; trained in part: mix_all, nlp:C1"
    )
    assert (pool_unseen(suite, ()), describe_unseen(suite, ())) == ({}, "")


def test_a_perturbation_keeps_its_name() -> None:
    assert pool_unseen(("C1", "W2", "unseen"), ("C1",)) == {"trained": ["C1"]}


@given(SOME, SOME)
def test_pools_are_parts_of_the_plan_and_share_nothing(
    suite: tuple[str, ...], train: tuple[str, ...]
) -> None:
    pools = pool_unseen(suite, train)
    trained, unseen = pools.get("trained", []), pools.get("unseen", [])
    assert not {*trained} & {*unseen}
    assert [name for name in suite if name in trained or name in unseen] == sorted(
        trained + unseen, key=suite.index
    )
    if train:
        assert {name for name in suite if name in train} <= {*trained}
        aggregates = pool_unseen(suite, ("mix_all",))
        assert all(
            list_changes(n) <= list_changes("mix_all") for n in aggregates.get("trained", [])
        )


def test_a_summary_has_them_beside_the_others() -> None:
    summary = summarise(run(("C1",)))
    kinds = {each.name: (each.kind, each.members) for each in summary.conditions}
    assert kinds["trained"] == ("training", ("C1",))
    assert kinds["unseen"] == ("training", ("W2", "S2"))
    unseen = summary.condition("unseen")
    assert unseen is not None
    rate = unseen.scores[1].pass_at_k
    assert rate is not None
    assert rate.value == pytest.approx((1 + 4) / 8)
    assert [each.name for each in summarise(run(())).conditions] == [
        each.name for each in summary.conditions if each.kind != "training"
    ]


def test_a_comparison_has_the_change_of_unseen_ones() -> None:
    before, after = run(("C1",)), run(("C1",), c1=4, w2=3)
    found = compare(count_squares(before), count_squares(after), after, 0.05)
    changes = {each.condition: each for each in found.changes if each.measure == "pass@1"}
    assert changes["unseen"].change == pytest.approx(2 / 8)
    assert changes["C1"].change == pytest.approx(2 / 4)
    assert "trained" not in changes  # it pools C1 alone, which has a row
    assert [name for name, each in changes.items() if each.decides] == ["clean", "all"]


def test_gates_ask_for_them_where_the_suite_has_them() -> None:
    gate = parse_gate("rd[unseen] <= 0.3", "s.toml")
    whole = run(("C1",))
    plan = ((1,), ["C1", "W2", "S2"], whole.levels, "s.toml")
    check_gates([gate], *plan, ("C1",))
    with pytest.raises(ConfigError, match="is about 'unseen', which this suite does not measure"):
        check_gates([gate], *plan)
    (outcome,) = decide([gate], summarise(whole), whole)
    assert (outcome.outcome, outcome.value) == ("fails", pytest.approx(3 / 8))
    assert [cell.perturbation for cell in read_planned(whole).read_by(gate)] == ["W2", "S2"]


def test_records_without_it_keep_their_bytes() -> None:
    assert "train" not in encode(run(()))
    stored = encode(run(("C1", "W2")))
    assert stored["train"] == ["C1", "W2"]
    assert decode(SuiteRun, stored).train == ("C1", "W2")
