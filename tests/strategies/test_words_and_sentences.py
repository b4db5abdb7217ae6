"""Synonyms, inflections and tenses change words that may change, and read like English."""

from __future__ import annotations

from itertools import pairwise

import pytest

from coderobust_strategies import perturb

PROMPT = '''def pick(numbers, k):
    """Write a function that returns the first k elements of the given list of strings.
    Numbers is not empty; it should not contain more than 5 duplicates. Return the number of words.
    """
'''


def changes(name: str, prompt: str = PROMPT, seed: int = 0) -> dict[str, str]:
    made = perturb(prompt, name, seed, entry_point="pick", edit_rate=1.0)
    return {prompt[edit.start : edit.stop]: edit.replacement for edit in made.edits}


def test_substitutes_are_inflected_like_the_word_they_replace() -> None:
    seen = {changes("W2", seed=seed)["returns"] for seed in range(40)}

    assert seen == {"gives back", "yields", "outputs", "produces"}
    assert {changes("W2", seed=seed)["Return"] for seed in range(40)} == {
        "Give back", "Yield", "Output", "Produce",
    }  # fmt: skip


def test_number_means_a_count_before_of() -> None:
    assert {changes("W2", seed=seed)["number"] for seed in range(40)} == {
        "count",
        "quantity",
        "amount",
    }


@pytest.mark.parametrize("name", ["W1", "W2", "W3"])
def test_logic_order_and_number_words_never_change(name: str) -> None:
    for seed in range(10):
        made = perturb(PROMPT, name, seed, edit_rate=1.0)
        for kept in (" first ", " not ", " more than 5 ", " empty"):
            assert kept in made.prompt or kept == " empty"
        assert not {"first", "not", "more", "should", "than"} & set(changes(name, seed=seed))


def test_an_inserted_synonym_follows_its_word() -> None:
    made = perturb(PROMPT, "W1", 0, edit_rate=1.0)

    for edit in made.edits:
        assert edit.start == edit.stop
        assert edit.replacement.startswith(" ")
        assert PROMPT[edit.start - 1].isalpha()
        assert not PROMPT[edit.start].isalpha()
    assert all(before.start < after.start for before, after in pairwise(made.edits))


def test_an_inflection_is_another_form_of_the_same_word() -> None:
    forms = {changes("W3", seed=seed)["returns"] for seed in range(40)}

    assert forms == {"return", "returning", "returned"}
    assert changes("W3")["elements"] == "element"


def test_the_past_tense_reaches_finite_verbs_only() -> None:
    past = changes("S2")

    assert past == {
        "Write": "Wrote", "returns": "returned", "is": "was", "Return": "Returned",
    }  # fmt: skip


def test_the_future_tense_keeps_modals_and_participles() -> None:
    future = changes("S3")

    assert future == {
        "Write": "Will write", "returns": "will return", "is": "will be", "Return": "Will return",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "past", "future"),
    [
        ("It does not have items", {"does": "did"}, {"does": "will"}),
        ("They can be moved", {"can": "could"}, {"can": "will be able to"}),
        ("You don't care", {"don't": "didn't"}, {"don't": "won't"}),
        ("The items are to be moved", {"are": "were"}, {"are": "will be"}),
    ],
)
def test_auxiliaries_take_their_own_forms(
    text: str, past: dict[str, str], future: dict[str, str]
) -> None:
    assert changes("S2", text) == past
    assert changes("S3", text) == future
