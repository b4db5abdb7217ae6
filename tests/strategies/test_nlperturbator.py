"""NLPerturbator's categories do what the paper says, at its frequencies, to eligible words only."""

from __future__ import annotations

import pytest

from coderobust_strategies import apply_edits, perturb
from coderobust_strategies.catalogue import lookup
from coderobust_strategies.prompt.anatomy import dissect

PROMPT = '''def pick(numbers, k):
    """Find an unusual word in the text that holds all of the letters.
    Then Return the small set of elements within pick(2), but not the first item.
    """
'''


def changes(code: str, rate: float | None = 1.0) -> list[tuple[str, str]]:
    made = perturb(PROMPT, f"nlp:{code}", 0, entry_point="pick", edit_rate=rate)
    return [(PROMPT[edit.start : edit.stop], edit.replacement) for edit in made.edits]


@pytest.mark.parametrize(
    ("code", "some"),
    [
        ("A1", {("", " ")}),
        ("A2", {("", " ")}),
        ("A3", {("", " in"), ("", " the"), ("", " of"), ("", " an")}),
        ("D2", {("in ", ""), ("of ", ""), ("within ", "")}),
        ("D3", {("an ", ""), ("the ", ""), ("that ", "")}),
        ("D4", {(" ", "")}),
        ("E3", {("Find", "Finds"), ("holds", "hold"), ("Return", "Returns")}),
        ("E4", {("Find", "Found"), ("holds", "held"), ("Return", "Returned")}),
        ("E5", {("small", "smallness")}),
        ("S2", {("an unusual", "unusual an")}),
    ],
)
def test_a_category_makes_its_own_kind_of_edit(code: str, some: set[tuple[str, str]]) -> None:
    assert some <= set(changes(code))


def test_logic_words_are_neither_dropped_nor_repeated_nor_moved() -> None:
    for code in ("A3", "D2", "D3", "S2"):
        for old, new in changes(code):
            assert not {"not", "all", "first", "but", "then"} & {*old.split(), *new.split()}


def test_a_deleted_letter_is_an_inner_lower_case_one() -> None:
    made = perturb(PROMPT, "nlp:D1", 0, entry_point="pick", edit_rate=1.0)
    words = {word.start: word for word in dissect(PROMPT, "pick").words}

    for edit in made.edits:
        word = next(w for w in words.values() if w.start <= edit.start < w.stop)
        assert word.start < edit.start < word.stop - 1
        assert PROMPT[edit.start].islower()


def test_a_keyboard_typo_is_a_touching_key() -> None:
    touching = {"q": "wa", "a": "qwszx", "p": "o", "m": "njk"}
    for old, new in changes("E1"):
        if old.lower() in touching:
            assert new.lower() in touching[old.lower()]


def test_a_capital_goes_to_the_first_letter_or_after_a_capital() -> None:
    made = perturb(PROMPT, "nlp:E2", 0, entry_point="pick", edit_rate=1.0).prompt

    assert "FInd An Unusual Word" in made
    assert "REturn The" in made


def test_the_frequency_is_an_exact_share_of_the_sites_and_at_least_one() -> None:
    sites = len(lookup("nlp:S1").sites(dissect(PROMPT, "pick")))
    one = perturb(PROMPT, "nlp:E2", 0, entry_point="pick")

    assert len(one.edits) == 1
    assert len(perturb(PROMPT, "nlp:S1", 0, entry_point="pick").edits) <= int(sites * 0.05) or 1
    letters = sum(len(word.text) for word in dissect(PROMPT, "pick").words)
    for factor, name in ((1, "nlp:E1"), (2, "nlp:E1x2"), (3, "nlp:E1x3")):
        made = perturb(PROMPT, name, 0, entry_point="pick")
        assert len(made.edits) == int(letters * 0.03 * factor)


def test_a_combination_applies_both_of_its_parts() -> None:
    kinds = {edit.kind for edit in perturb(PROMPT, "nlp:C1", 0, entry_point="pick").edits}

    assert kinds == {"typo", "space"}


def test_a_word_that_parts_a_call_from_a_value_stays() -> None:
    prompt = "Write a function pick() that returns the 2nd item of it"

    for seed in range(20):
        for name in ("nlp:D3", "nlp:S2"):
            made = perturb(prompt, name, seed, edit_rate=1.0)
            assert "pick() that" in made.prompt
            assert apply_edits(prompt, made.edits) == made.prompt
