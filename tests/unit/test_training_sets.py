"""Sets of training data: the paper's 32 by name, and which rows each perturbs."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.errors import UsageError
from pytest_coderobust.training.sets import RowCopy, TrainingSet, choose_rows, list_sets

IDS = st.lists(st.text(min_size=1, max_size=6), unique=True, max_size=60)
SEEDS = st.integers(0, 2**32)


def perturbed(chosen: TrainingSet, ids: list[str], seed: int) -> set[int]:
    return {row.place for row in choose_rows(chosen, ids, seed) if row.perturbed}


def mixed(share: Fraction, repeat: int = 0) -> TrainingSet:
    return TrainingSet("x", "mix_all", share, repeat)


def test_all_is_the_papers_32_sets_and_the_clean_one() -> None:
    sets = list_sets(["all"])
    assert len({each.name for each in sets}) == len(sets) == 33
    assert [each.name for each in sets if not each.perturbation] == ["clean"]
    ratios = [each for each in sets if each.share not in (1, Fraction(60, 100))]
    assert [each.name for each in ratios][:4] == [f"mix_all-10-{n}" for n in (1, 2, 3)] + [
        "mix_all-30-1"
    ]
    assert len(ratios) == 15
    assert [each.name for each in sets if each.size != 1] == [
        f"mix_all-x{size}" for size in ("0.25", "0.5", "2", "3")
    ]


def test_single_sets_and_other_perturbations_have_names_too() -> None:
    names = ["mix_all-30-2", "mix_all-x2", "nlp:E1", "C1", "C1", "C1+nlp:A1", "C1+S2", "clean"]
    found = list_sets(names)
    assert [(each.name, each.level) for each in found] == [
        ("mix_all-30-2", "mixed"),
        ("mix_all-x2", "mixed"),
        ("nlp_E1", "character"),
        ("C1", "character"),
        ("C1+nlp_A1", "character"),
        ("C1+S2", "mixed"),
        ("clean", ""),
    ]


@pytest.mark.parametrize(("name", "offered"), [("C9", "'C'"), ("mix_al", "'mix_all'")])
def test_an_unknown_set_is_refused_with_the_nearest(name: str, offered: str) -> None:
    with pytest.raises(UsageError, match=f"--sets {name}: .*did you mean {offered}") as error:
        list_sets([name])
    assert "mix_all-30-1" in str(error.value)


@given(IDS, SEEDS, st.integers(0, 100), st.integers(0, 100))
def test_a_higher_share_perturbs_every_row_of_a_lower_one(
    ids: list[str], seed: int, one: int, other: int
) -> None:
    low, high = (perturbed(mixed(Fraction(n, 100)), ids, seed) for n in sorted((one, other)))
    assert low <= high
    assert len(low) == len(ids) * min(one, other) // 100
    assert len(high) == len(ids) * max(one, other) // 100


@given(IDS, SEEDS, st.fractions(Fraction(1, 20), 4))
def test_a_size_takes_its_share_of_rows_in_the_order_of_the_data(
    ids: list[str], seed: int, size: Fraction
) -> None:
    rows = list(choose_rows(TrainingSet("x", "mix_all", Fraction(3, 5), size=size), ids, seed))
    assert len(rows) == len(ids) * size.numerator // size.denominator
    assert [(row.copy, row.place) for row in rows] == sorted((row.copy, row.place) for row in rows)
    assert len({(row.copy, row.place) for row in rows}) == len(rows)
    for copy in {row.copy for row in rows}:
        part = [row for row in rows if row.copy == copy]
        assert sum(row.perturbed for row in part) == len(part) * 3 // 5


@given(IDS.filter(bool), SEEDS, st.data())
def test_the_draw_of_a_row_depends_on_no_other_row(
    ids: list[str], seed: int, data: st.DataObject
) -> None:
    """Among the rows that stay, the order of the draw is the same: who was first stays first."""
    gone = data.draw(st.sampled_from(ids))
    rest = [each for each in ids if each != gone]
    half = {ids[n] for n in perturbed(mixed(Fraction(1, 2)), ids, seed)}
    again = {rest[n] for n in perturbed(mixed(Fraction(1, 2)), rest, seed)}
    assert len(again ^ (half - {gone})) <= 1


def test_repeats_and_seeds_draw_other_rows() -> None:
    ids = [str(number) for number in range(200)]
    draws = [
        perturbed(mixed(Fraction(1, 2), repeat), ids, seed)
        for repeat in (0, 1, 2)
        for seed in (1, 2)
    ]
    assert len({frozenset(draw) for draw in draws}) == 6
    assert all(len(draw) == 100 for draw in draws)


def test_a_clean_set_has_every_row_unperturbed() -> None:
    assert list(choose_rows(TrainingSet("clean"), ["a", "b"], 0)) == [
        RowCopy(0, 0, perturbed=False),
        RowCopy(1, 0, perturbed=False),
    ]
