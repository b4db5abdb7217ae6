"""One prompt, one perturbation, one seed: the same variant everywhere, and only prose differs."""

from __future__ import annotations

import os
import subprocess
import sys
from difflib import SequenceMatcher

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coderobust_strategies import PerturbationError, apply_edits, names, perturb
from coderobust_strategies.audit import audit
from coderobust_strategies.prompt.anatomy import dissect

PROMPT = '''def largest_gap(values: list) -> int:
    """Return the largest difference between two neighbouring values of the given list.
    If the list holds fewer than 2 elements, return 0. The order must not be "changed".
    >>> largest_gap([1, 5, 6])
    4
    """
'''
PROCESS = """
import sys
from coderobust_strategies import names, perturb
for name in names():
    for seed in range(5):
        for task in ("a", "b\\ud800"):
            print(ascii(perturb(sys.argv[1], name, seed, task_id=task, entry_point="largest_gap")))
"""


@pytest.mark.parametrize("name", names())
@settings(deadline=None)  # the first draw loads the word lists
@given(seed=st.integers(0, 2**40), task=st.text(max_size=4))
def test_a_variant_differs_is_undamaged_and_its_edits_rebuild_it(
    name: str, seed: int, task: str
) -> None:
    made = perturb(PROMPT, name, seed, task_id=task, entry_point="largest_gap")

    assert not made.skipped
    assert made.prompt != PROMPT
    assert apply_edits(PROMPT, made.edits) == made.prompt
    assert audit(PROMPT, made.prompt) == ()


@pytest.mark.parametrize("name", names())
@settings(deadline=None)  # the first draw loads the word lists
@given(prompt=st.text(), seed=st.integers(0, 3))
def test_any_text_is_perturbed_or_skipped_and_protected_spans_survive(
    name: str, prompt: str, seed: int
) -> None:
    made = perturb(prompt, name, seed)

    if made.skipped:
        assert (made.prompt, made.edits, made.skipped) == (prompt, (), "no eligible site")
        return
    anatomy = dissect(prompt)
    assume(anatomy.words)
    assert made.prompt != prompt
    kept = [*anatomy.protected, *((s.start, s.stop) for s in anatomy.segments if s.kind != "prose")]
    for edit in made.edits:
        assert all(edit.stop <= start or stop <= edit.start for start, stop in kept)


def test_two_processes_with_different_hash_seeds_agree() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROCESS, PROMPT],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
            timeout=120,
        ).stdout
        for hash_seed in ("0", "4242")
    }

    assert len(outputs) == 1
    assert outputs.pop().count(b"Perturbed(") == len(names()) * 10


def test_seed_and_task_each_change_the_draw() -> None:
    drawn = {perturb(PROMPT, "C1", seed, task_id=task).prompt for seed in range(3) for task in "ab"}

    assert len(drawn) == 6


def test_global_random_state_is_neither_read_nor_moved() -> None:
    import random

    random.seed(1)
    state = random.getstate()
    first = perturb(PROMPT, "C3", 0)
    assert random.getstate() == state
    random.seed(2)
    assert perturb(PROMPT, "C3", 0) == first


def test_the_edit_rate_is_the_share_of_sites_that_change() -> None:
    few = perturb(PROMPT, "C3", 0, edit_rate=0.01)
    all_ = perturb(PROMPT, "C3", 0, edit_rate=1.0)
    letters = sum(len(word.text) for word in dissect(PROMPT).words)

    assert 1 <= len(few.edits) < 10
    assert len(all_.edits) == letters


def test_one_edit_is_made_even_when_the_draw_selects_none() -> None:
    lengths = {len(perturb(PROMPT, "C1", seed, edit_rate=1e-9).edits) for seed in range(20)}

    assert lengths == {1}


def test_an_aggregate_draws_every_member_and_says_which() -> None:
    drawn = [perturb(PROMPT, "C", seed, task_id="t") for seed in range(60)]

    assert {made.member for made in drawn} == {"C1", "C2", "C3"}
    for seed, made in enumerate(drawn):
        assert made.prompt == perturb(PROMPT, made.member, seed, task_id="t").prompt


def test_tasks_draw_their_members_apart() -> None:
    drawn = {perturb(PROMPT, "mix_all", 0, task_id=str(task)).member for task in range(60)}

    assert drawn == {"C1", "C2", "C3", "W1", "W2", "W3", "S2", "S3"}


@pytest.mark.parametrize("rate", [0.0, -1.0, 1.5, float("nan")])
def test_a_rate_outside_its_range_is_refused(rate: float) -> None:
    with pytest.raises(PerturbationError, match=r"edit_rate must lie in \(0, 1\]"):
        perturb(PROMPT, "C1", 0, edit_rate=rate)


def test_an_unknown_profile_is_refused_with_the_valid_ones() -> None:
    with pytest.raises(PerturbationError, match=r"unknown profile 'paper' \(valid: recode"):
        perturb(PROMPT, "C1", 0, profile="paper")


def changed(name: str) -> list[tuple[str, str]]:
    made = perturb(PROMPT, name, 0, edit_rate=1.0)
    return [(PROMPT[edit.start : edit.stop], edit.replacement) for edit in made.edits]


def test_butter_fingers_hits_another_letter_nearby_and_keeps_the_case() -> None:
    for old, new in changed("C1"):
        assert old != new
        assert new.isalpha()
        assert old.isupper() == new.isupper()


def test_swap_characters_exchanges_two_different_neighbours() -> None:
    for old, new in changed("C2"):
        assert len(old) == 2
        assert new == old[::-1] != old


def test_change_char_case_changes_nothing_but_case() -> None:
    made = perturb(PROMPT, "C3", 0, edit_rate=1.0).prompt

    assert made.lower() == PROMPT.lower()
    assert SequenceMatcher(None, made, PROMPT).ratio() < 0.9
