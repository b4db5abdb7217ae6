"""Hypothesis ends on the verified minimum without a model, and stores it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.hunt_failures import CLEAN, failure

from coderobust_strategies import Edit, apply_edits, perturb
from coderobust_strategies.hypothesis_strategies import PerturbedPrompt, ladders, remnants
from pytest_coderobust.hunting.failure import Failure
from pytest_coderobust.hunting.handoff import make_hypothesis_report, make_oracle

NAMES = ("C1", "C2", "C3", "W2")
PROMPT = '''def pick(numbers, k):
    """Write a function that returns the first few elements of the given list, without the
    negative values that follow one another. The result should be empty when there are none.
    """
'''


def made(minimum: tuple[Edit, ...], first: tuple[Edit, ...]) -> Failure:
    base = failure(edits=())
    return replace(
        base,
        clean=replace(base.clean, prompt=PROMPT),
        broken=replace(base.broken, prompt=apply_edits(PROMPT, minimum)),
        edits=minimum,
        first_edits=first,
        entry_point="pick",
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["C1", "C3"])
def test_the_report_and_the_database_show_the_minimum(seed: int, name: str, tmp_path: Path) -> None:
    first = perturb(PROMPT, name, seed, edit_rate=0.3, entry_point="pick").edits
    steps = ladders(PROMPT, first, NAMES, "pick")
    # The minimum keeps one edit as it was found and another in its simplest form.
    minimum = tuple(sorted({steps[0][-1], steps[-1][0]}))
    failed = made(minimum, first)
    report = make_hypothesis_report(failed, NAMES, database=tmp_path)
    assert "is_solved(" in report
    for edit in minimum:
        line = next(
            line for line in PROMPT.splitlines() if PROMPT.find(line) + len(line) > edit.start
        )
        assert repr(line)[1:-1] in report
    assert "@reproduce_failure(" in report
    assert [path for path in tmp_path.rglob("*") if path.is_file()]
    # The second run starts from what the first one stored.
    again = make_hypothesis_report(failed, NAMES, database=tmp_path)
    assert again.partition("\n\n")[0] == report.partition("\n\n")[0]


def test_where_hypothesis_ends_elsewhere_there_is_no_report() -> None:
    odd = replace(failure(), edits=(Edit(0, 3, "fed", "case"),))
    odd = replace(odd, broken=replace(odd.broken, prompt=apply_edits(CLEAN, odd.edits)))
    assert make_hypothesis_report(odd, ("C3",)) == ""


def test_the_oracle_wants_every_edit_of_the_minimum_in_one_of_its_forms() -> None:
    a, a2, b = Edit(0, 1, "x", "case"), Edit(0, 1, "y", "typo"), Edit(5, 6, "z", "case")
    still = make_oracle((a, b), [(a, a2), (b,)])
    assert still((a, b))
    assert still((a2, b))
    assert not still((a,))
    assert not still((b,))
    assert not make_oracle((a2, b), [(a, a2), (b,)])((a, b))


@given(data=st.data(), seed=st.integers(0, 50))
@settings(max_examples=30, deadline=None)
def test_remnants_are_parts_of_the_variant(data: st.DataObject, seed: int) -> None:
    edits = perturb(PROMPT, "C3", seed, entry_point="pick").edits
    left: PerturbedPrompt = data.draw(remnants(PROMPT, edits))
    assert set(left.edits) <= set(edits)
    assert apply_edits(PROMPT, left.edits) == left
