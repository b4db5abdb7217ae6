"""perturbed() draws valid prompts without health checks and shrinks to the edits that matter."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from coderobust_strategies import PerturbationError, UnknownPerturbation, apply_edits
from coderobust_strategies.audit import audit
from coderobust_strategies.hypothesis_strategies import PerturbedPrompt, perturbed
from coderobust_strategies.prompt.anatomy import dissect

PROMPT = '''def pick(numbers, k):
    """Write a function that returns the first k elements of the given list of strings.
    The result should be empty when there are no such elements. Return "none" at 3 or more.
    >>> pick([1, 2], 1)
    [1]
    """
'''
SHRINK = settings(
    max_examples=3000, database=None, deadline=None, phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip


@given(prompt=perturbed(PROMPT, "mix_all", "nlp:D1", max_edits=5, entry_point="pick"))
def test_a_drawn_value_is_the_prompt_after_its_edits(prompt: PerturbedPrompt) -> None:
    assert isinstance(prompt, str)
    assert apply_edits(PROMPT, prompt.edits) == prompt
    assert len(prompt.edits) <= 5
    assert prompt.clean == PROMPT
    assert not [damage for damage in audit(PROMPT, prompt) if damage.kind != "structure"]


@given(data=st.data())
def test_it_works_inside_interactive_draws(data: st.DataObject) -> None:
    prompt = data.draw(perturbed(PROMPT, "C1", max_edits=3, min_edits=1))

    assert 1 <= len(prompt.edits) <= 3
    assert prompt != PROMPT


def test_a_failure_anywhere_shrinks_to_the_clean_prompt() -> None:
    assert find(perturbed(PROMPT, "C"), lambda _: True, settings=SHRINK) == PROMPT


@pytest.mark.parametrize("turn", range(5))
def test_two_edits_that_matter_are_all_that_is_left(turn: int) -> None:
    words = dissect(PROMPT, "pick").words
    first, second = words[turn], words[-1 - turn]

    def breaks(prompt: PerturbedPrompt) -> bool:
        hit = {e.kind for e in prompt.edits if first.start <= e.start < first.stop}
        return bool(hit) and any(second.start <= e.start < second.stop for e in prompt.edits)

    smallest = find(
        perturbed(PROMPT, "C", max_edits=40, entry_point="pick"), breaks, settings=SHRINK
    )

    assert len(smallest.edits) == 2
    assert {edit.kind for edit in smallest.edits} == {"case"}


def test_simpler_kinds_are_preferred_over_more_complicated_ones() -> None:
    smallest = find(
        perturbed(PROMPT, "W2", "S2", "C1", "C3", min_edits=1), lambda _: True, settings=SHRINK
    )

    assert [edit.kind for edit in smallest.edits] == ["case"]


def test_a_value_prints_as_a_diff_with_odd_characters_escaped() -> None:
    clean = "Return\x1b[31m it\nand this"
    made = PerturbedPrompt(clean, find(perturbed(clean, "C3", min_edits=1), lambda _: True).edits)

    assert repr(made).splitlines() == [
        "1 edit (case)",
        "- 'Return\\x1b[31m it'",
        "+ 'return\\x1b[31m it'",
    ]
    assert repr(PerturbedPrompt(clean, ())) == "the clean prompt"


FAILING = f"""
from hypothesis import given, settings
from coderobust_strategies.hypothesis_strategies import perturbed
@settings(database=None, derandomize=True, deadline=None)
@given(prompt=perturbed({PROMPT!r}, "C3", max_edits=4))
def test(prompt):
    assert " return " not in prompt
test()
"""


def test_the_report_of_a_failing_test_shows_the_diff() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAILING], capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 1
    assert "1 edit (case)" in done.stderr
    assert "- '    The result should be empty" in done.stderr
    assert 'return "none"' in done.stderr


@pytest.mark.parametrize(
    ("names", "bounds", "message"),
    [
        ((), {}, "at least one perturbation"),
        (("C1",), {"max_edits": -1}, "expected 0 <= min_edits <= max_edits"),
        (("C1",), {"min_edits": 3, "max_edits": 2}, "got min_edits=3, max_edits=2"),
    ],
)
def test_impossible_arguments_raise_when_drawn(
    names: tuple[str, ...], bounds: dict[str, int], message: str
) -> None:
    strategy = perturbed(PROMPT, *names, **bounds)

    with pytest.raises(PerturbationError, match=message):
        find(strategy, lambda _: True, settings=SHRINK)


def test_unknown_names_and_prompts_without_sites_raise_when_drawn() -> None:
    with pytest.raises(UnknownPerturbation, match="did you mean 'C1'"):
        find(perturbed(PROMPT, "c1"), lambda _: True, settings=SHRINK)
    with pytest.raises(PerturbationError, match="no eligible site for C1"):
        find(perturbed("1 + 1", "C1"), lambda _: True, settings=SHRINK)
