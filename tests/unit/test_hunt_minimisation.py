"""For every predicate the minimum fails, needs each of its edits, and comes cheap."""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hunt_toys import KINDS, Edits, simpler, toy

from pytest_coderobust.hunting.minimisation import Minimum, minimise
from pytest_coderobust.hunting.questions import Effort, settle

SEEDS = 20


def run(kind: str, seed: int, size: int = 12) -> tuple[Minimum[tuple[int, int, int]], Effort]:
    made = toy(kind, seed, size)
    assert made.breaks(made.first)
    found, effort = settle(
        minimise(made.first, simpler), lambda asked: [made.breaks(each) for each in asked]
    )
    assert found.minimal
    assert made.breaks(found.edits)
    assert not any(made.breaks(found.edits - {edit}) for edit in found.edits)
    assert made.answer is None or found.edits == made.answer
    return found, effort


@pytest.mark.parametrize("size", [12, 40])
@pytest.mark.parametrize("kind", KINDS)
def test_every_seed_ends_verified_minimal_and_on_the_only_answer(kind: str, size: int) -> None:
    for seed in range(SEEDS):
        run(kind, seed, size)


def test_two_causes_take_at_most_30_evaluations_and_7_batches() -> None:
    efforts = [run("two causes", seed)[1] for seed in range(SEEDS)]
    assert mean(effort.evaluations for effort in efforts) <= 30
    assert mean(effort.batches for effort in efforts) <= 7


@given(seed=st.integers(0, 10**9), size=st.integers(1, 40), share=st.floats(0.05, 0.95))
def test_a_predicate_without_rhyme_or_reason_ends_verified_and_minimal(
    seed: int, size: int, share: float
) -> None:
    first = frozenset(range(size))
    asked: list[frozenset[int]] = []

    def fails(edits: frozenset[int]) -> bool:
        return edits == first or random.Random(f"{seed}{sorted(edits)}").random() < share

    def breaks(candidates: Sequence[frozenset[int]]) -> list[bool]:
        asked.extend(candidates)
        return [fails(each) for each in candidates]

    found, effort = settle(minimise(first), breaks, batch=7)

    assert found.minimal
    assert found.edits
    assert fails(found.edits)
    assert not any(fails(found.edits - {edit}) for edit in found.edits if len(found.edits) > 1)
    assert len(asked) == len(set(asked)) == effort.evaluations
    assert first not in asked
    assert frozenset() not in asked


@given(seed=st.integers(0, 99), most=st.integers(0, 40), size=st.integers(3, 40))
def test_a_budget_ends_with_the_best_so_far(seed: int, most: int, size: int) -> None:
    made = toy("three causes", seed, size)
    found, effort = settle(
        minimise(made.first, simpler),
        lambda asked: [made.breaks(each) for each in asked],
        most=most,
    )
    assert effort.evaluations <= most
    assert made.breaks(found.edits)
    assert len(found.edits) <= size
    if found.minimal:
        assert not any(made.breaks(found.edits - {edit}) for edit in found.edits)


def test_known_answers_are_not_asked_again() -> None:
    made = toy("one cause", 3)
    asked: list[Edits] = []

    def breaks(candidates: Sequence[Edits]) -> list[bool]:
        asked.extend(candidates)
        return [made.breaks(each) for each in candidates]

    first, _ = settle(minimise(made.first), breaks)
    known = [(each, made.breaks(each)) for each in asked]
    asked.clear()
    again, effort = settle(minimise(made.first, known=known), breaks)
    assert again == first
    assert effort == Effort(0, 0)


def test_batches_are_never_larger_than_asked_for() -> None:
    sizes: list[int] = []
    made = toy("two causes", 1, 40)

    def breaks(candidates: Sequence[Edits]) -> list[bool]:
        sizes.append(len(candidates))
        return [made.breaks(each) for each in candidates]

    _, effort = settle(minimise(made.first), breaks, batch=5)
    assert max(sizes) == 5
    assert effort.batches == len(sizes)
