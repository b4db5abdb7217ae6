from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.reporting.words import WordChange, find_word_changes

PROSE = st.lists(st.sampled_from(["the", "number", " ", "  ", "\n", "é", ".", "😀", "_"])).map(
    "".join
)


def applied(changes: tuple[WordChange, ...], clean: str) -> str:
    pieces: list[str] = []
    end = 0
    for change in changes:
        pieces += (clean[end : change.start], change.replacement)
        end = change.stop
    return "".join((*pieces, clean[end:]))


@given(PROSE, PROSE)
def test_changes_give_the_variant_back(clean: str, variant: str) -> None:
    assert applied(find_word_changes(clean, variant), clean) == variant


@given(PROSE)
def test_equal_texts_differ_nowhere(text: str) -> None:
    assert find_word_changes(text, text) == ()


def test_a_changed_letter_marks_its_word_alone() -> None:
    assert find_word_changes("Return the number.", "Return teh number.") == (
        WordChange(7, 10, "teh"),
    )


def test_an_inserted_word_is_an_insertion() -> None:
    assert find_word_changes("Return it", "Return it it") == (WordChange(9, 9, " it"),)


def test_long_unlike_texts_are_one_replacement() -> None:
    clean, variant = "a " * 9000, "b " * 8000
    changes = find_word_changes(clean, variant)
    assert len(changes) == 1
    assert applied(changes, clean) == variant
