"""Text in which every letter matters lies in a protected span."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderobust_strategies.prompt.protection import merge, names_in, protected_spans


def protected(text: str, *names: str) -> list[str]:
    return [text[start:stop] for start, stop in protected_spans(text, names)]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("see https://a.b/c?d=e now", ["https://a.b/c?d=e"]),
        ("see geeksforgeeks.org/n-th-polite now", ["geeksforgeeks.org/n-th-polite"]),
        ("call `len of` it", ["`len of`"]),
        ("say \"yes it is\" or 'no'", ['"yes it is"', "'no'"]),
        ("it's the dog's dinner", []),
        ("say \u2018sum\u2019 or \u201cno\u201d", ["\u2018sum\u2019", "\u201cno\u201d"]),
        ("the 2nd of 3.5 or 1,000", ["2nd", "3.5", "1,000"]),
        ("the n-th or n-digit non-negative one", ["n-th", "n-digit"]),
        ("use snake_case and camelCase", ["snake_case", "camelCase"]),
        ("range(1, n) and xs[0] or {a: b}", ["range(1, n)", "xs[0]", "{a: b}"]),
        ("the (mean value) of", []),
        ("f('a') should return -15 and f(2) returns", ["f('a') should return -15", "f(2)"]),
        ("keep value >= limit here", ["value >= limit"]),
        ("keep > 3 here", ["keep > 3"]),
        ("* a bullet", []),
        ("return True or none, an int", ["True", "none", "int"]),
        ("give the GPA and MAD", ["GPA", "MAD"]),
        ("<numerator> over @number", ["<numerator>", "@number"]),
        ("e.g. std::vector of file.txt", ["e.g", "std::vector", "file.txt"]),
        ("lower/upper input/output", []),
        (r"split by \n and \t", [r"\n", r"\t"]),
    ],
)
def test_exact_parts_of_prose_are_protected(text: str, spans: list[str]) -> None:
    assert protected(text) == spans


def test_known_names_are_protected_whole_words_only() -> None:
    assert protected("the numbers renumbered", "numbers") == ["numbers"]
    assert protected("an extension's name", "extension") == ["extension"]


def test_names_come_from_code_not_from_strings_comments_or_keywords() -> None:
    code = 'def f(alpha):\n    """beta"""\n    # gamma\n    return "delta" if alpha else epsilon\n'

    assert names_in(code) == {"f", "alpha", "epsilon"}


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)).map(lambda p: (p[0], p[0] + p[1])))
)
def test_merged_spans_cover_the_same_places_and_are_disjoint(spans: list[tuple[int, int]]) -> None:
    merged = merge(spans)

    assert {i for a, b in merged for i in range(a, b)} == {i for a, b in spans for i in range(a, b)}
    assert all(before[1] < after[0] for before, after in pairwise(merged))
