"""The auditor names each kind of damage, and nothing else."""

from __future__ import annotations

import pytest

from coderobust_strategies.audit import audit, is_damaged

CLEAN = '''from typing import List


def pick(items: List[int], k: int) -> str:
    """ Return "YES" if 3 of the items are larger than k, True otherwise.
    Here pick(items, 0) matters.
    >>> pick([1, 2], 1)
    'NO'
    Examples:
        pick([5, 6], 4) should return 'NO'.
        pick([], 4) == 12
    """
    # a note
'''


@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        ("larger than", "lagrer tahn", []),
        ("Return", "rETURN", []),
        ("matters", "matters very much", []),
        ('"""\n    # a', '"" "\n    # a', ["parse"]),
        ("List[int]", "List[str]", ["code"]),
        ("def pick", "def pikc", ["code"]),
        ("from typing", "import typing\nfrom typing", ["code", "structure"]),
        (">>> pick([1, 2], 1)", ">>> pick([1, 2],  1)", ["examples"]),
        ("Here pick(items, 0)", "Here pcik(items, 0)", ["examples"]),
        ("should return 'NO'", "should return 'No'", ["examples", "literals"]),
        ("pick([], 4) == 12", "pick([], 4) == 21", ["examples", "numbers"]),
        ("if 3 of", "if 2 of", ["numbers"]),
        ("if 3 of", "if of", ["numbers"]),
        ('"YES"', '"YSE"', ["literals"]),
        (" items are larger", "\n    items are larger", ["structure"]),
    ],
)
def test_each_kind_of_damage_is_found_by_its_name(old: str, new: str, kinds: list[str]) -> None:
    assert CLEAN.count(old) == 1
    found = audit(CLEAN, CLEAN.replace(old, new))

    assert [damage.kind for damage in found] == kinds
    assert is_damaged(found) == bool(set(kinds) - {"structure"})


def test_a_prompt_equals_itself() -> None:
    assert audit(CLEAN, CLEAN) == ()


def test_a_prompt_that_ends_at_its_signature_is_read() -> None:
    assert audit("# Add one\ndef f(x):\n", "# Add won\ndef f(x):\n") == ()
    assert [d.kind for d in audit("def f(x):\n", "def f(y):\n")] == ["code"]


def test_plain_text_is_audited_for_what_it_quotes_and_counts() -> None:
    clean = "Write a function to find 3 words like 'a b'.\nassert f(1) == 2"

    assert audit(clean, clean.replace("Write", "Wrtie")) == ()
    assert [d.kind for d in audit(clean, clean.replace("f(1)", "g(1)"))] == ["examples"]
    assert [d.kind for d in audit(clean, clean.replace("'a b'", "a b"))] == ["literals"]


@pytest.mark.parametrize("text", ["", "\x00def f(x):", "def f(:\n", "\ud800", "def f():\n'''("])
def test_text_that_no_parser_takes_is_still_compared(text: str) -> None:
    assert audit(text, text) == ()


def test_a_detail_says_what_was_and_what_is() -> None:
    (damage,) = audit("keep 3 of them", "keep 4 of them")

    assert damage.detail == "'3' became '4'"


def test_a_prompt_that_is_only_a_docstring_is_read_as_python() -> None:
    clean = '"""Find what stands between quotation marks " " of a string.\nassert f(1) == 2\n"""\n'

    assert audit(clean, clean.replace("stands", "satnds")) == ()
    assert [d.kind for d in audit(clean, clean.replace("stands", 'st"""ands'))] == ["parse"]
    assert [d.kind for d in audit(clean, clean.replace('" "', '" '))] == ["literals"]


def test_code_around_c_style_comments_is_compared() -> None:
    clean = "import java.util.*;\nclass A {\n    /** Add 1 */\n    int f(int x) {\n"

    assert audit(clean, clean.replace("Add", "Adn")) == ()
    assert [d.kind for d in audit(clean, clean.replace("int x", "int y"))] == ["code"]
    assert "code" in [d.kind for d in audit(clean, clean.replace("*/", "* /"))]
    assert [d.kind for d in audit(clean, clean.replace("1", "2"))] == ["numbers"]


def test_a_word_that_lost_the_space_before_a_bracket_is_not_taken_for_a_call() -> None:
    clean = "Take numbers (at 2) and call f(1)"

    assert audit(clean, clean.replace("numbers (", "numbers(")) == ()
