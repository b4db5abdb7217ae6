"""Prompts of every form are split into segments that join to the same prompt again."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coderobust_strategies.prompt.anatomy import Anatomy, dissect

DOCSTRING = '''import math


def helper(xs):
    """Never touch this sentence."""
    return sum(xs)


def add_all(numbers: list, limit: int):
    """ Return the sum of all numbers below the limit, at most 3 times.
    >>> add_all([1, 2], 3)
    3

    Use helper(numbers) where the word "exactly" stands.
    Examples:
        add_all([], 0) should return 0.
    """
'''


def words(anatomy: Anatomy) -> list[str]:
    return [word.text for word in anatomy.words]


def prose(anatomy: Anatomy) -> str:
    return "".join(anatomy.text(part) for part in anatomy.segments if part.kind == "prose")


def joined(anatomy: Anatomy) -> str:
    return "".join(anatomy.text(part) for part in anatomy.segments)


SOURCE_PIECES = st.sampled_from(
    [
        *(
            '"""',
            "'''",
            '"',
            "'",
            "\\",
            "\n",
            "\r\n",
            "#",
            "(",
            ")",
            "[",
            "def f(x):",
            ">>> f(1)",
            "    ",
        ),
        *(
            "Return the sum",
            "Example:",
            "```",
            "/*",
            "*/",
            "//",
            "\x00",
            "\ud800",
            "é",
            "שלום",
            "\u2028",
        ),
    ]
)


@given(st.one_of(st.text(), st.lists(SOURCE_PIECES).map("".join)), st.text(max_size=5))
@example("def f():\n    '''never closed", "f")
@example("\r", "")
def test_joined_segments_equal_the_prompt_and_words_lie_in_free_prose(
    prompt: str, entry_point: str
) -> None:
    anatomy = dissect(prompt, entry_point)

    assert joined(anatomy) == prompt
    assert [part.start for part in anatomy.segments[1:]] == [
        part.stop for part in anatomy.segments[:-1]
    ]
    free = {
        i for part in anatomy.segments if part.kind == "prose" for i in range(part.start, part.stop)
    }
    free -= {i for start, stop in anatomy.protected for i in range(start, stop)}
    for word in anatomy.words:
        assert free.issuperset(range(word.start, word.stop))
        assert prompt[word.start : word.stop] == word.text
        assert word.text.isascii()
        assert len(word.text) >= 2


def test_only_the_entry_points_docstring_is_prose() -> None:
    anatomy = dissect(DOCSTRING, "add_all")

    assert anatomy.form == "python"
    assert "Never touch" not in prose(anatomy)
    assert prose(anatomy).split()[:3] == ["Return", "the", "sum"]
    assert "Never" in words(dissect(DOCSTRING, "helper"))


def test_without_an_entry_point_the_last_docstring_is_the_description() -> None:
    assert prose(dissect(DOCSTRING)) == prose(dissect(DOCSTRING, "add_all"))


def test_examples_identifiers_numbers_and_quotes_are_not_eligible() -> None:
    assert words(dissect(DOCSTRING, "add_all")) == [
        "Return", "the", "of", "all", "below", "the", "at", "most", "times",
        "Use", "where", "the", "word", "stands",
    ]  # fmt: skip


def test_names_of_the_canonical_solution_are_protected() -> None:
    prompt = 'def f(x):\n    """Count the vowels in total."""\n'

    assert "vowels" in words(dissect(prompt, "f"))
    assert "vowels" not in words(dissect(prompt, "f", "    vowels = 'aeiou'\n"))
    assert "total" in words(dissect(prompt, "f", "    # in total\n    return 'a total of'\n"))


def test_a_word_that_stands_quoted_somewhere_is_an_exact_value() -> None:
    prompt = 'def f(x):\n    """Return mars after earth.\n    >>> f("earth")\n    "mars"\n    """\n'

    assert words(dissect(prompt, "f")) == ["Return", "after"]


@pytest.mark.parametrize(
    ("prompt", "form", "eligible"),
    [
        ("Write code to find b's\nassert f(1) == 2\n", "text", ["Write", "code", "to", "find"]),
        ("# Return the sum\ndef f(x):\n", "python", ["Return", "the", "sum"]),
        ("/**\n * Add the sum\n * >>> f(1)\n * 1\n */\nint f(", "comment", ["Add", "the", "sum"]),
        ("// Return the sum of x\nint f(int x) {", "comment", ["Return", "the", "sum", "of"]),
        ("// Add one\n// to it\nint f(int x) {", "comment", ["Add", "one", "to", "it"]),
        ("import java.util.*;\nclass A {\n/* Add one */\nint f(", "comment", ["Add", "one"]),
        ("#include<a>\nint h() {\n  // Not this\n}\n/* Add one */\n", "comment", ["Add", "one"]),
        ("class A : public B {\n// Add one\n", "comment", ["Add", "one"]),
        ("Complete this:\n```python\ndef f(x):\n    '''Add one'''\n```\nThanks", "chat",
         ["Complete", "this", "Add", "one", "Thanks"]),
        ('"""Write it.\nassert f(1) == 2\n"""\ndef f(x):\n', "python", ["Write", "it"]),
        ("def f(x): 'Add one'\n", "python", []),
        ("class A:\n    'Add one'\n", "python", ["Add", "one"]),
        ("def f(x):\n    r'''Match \\d or a tab'''\n", "python", ["Match", "or", "tab"]),
        ("def f(x):\n    '''Join by \\nextra tabs'''\n", "python", ["Join", "by", "tabs"]),
        ("def f(x):\n    b'''Add one'''\n", "python", []),
        ("def f(x):\n", "python", []),
        ("", "text", []),
    ],
)  # fmt: skip
def test_every_form_of_prompt_has_its_prose_found(
    prompt: str, form: str, eligible: list[str]
) -> None:
    anatomy = dissect(prompt, "f")

    assert anatomy.form == form
    assert [word for word in words(anatomy) if word != "extra"] == eligible


def test_a_string_in_code_is_never_prose() -> None:
    source = 'def f(x):\n    """Add one."""\n    y = """Not this"""\n    g("""nor this""")\n'

    assert words(dissect(source, "f")) == ["Add", "one"]


def test_windows_line_ends_belong_to_the_layout() -> None:
    prompt = (
        'def f(x):\r\n    """Return one.\r\n    Return two.\r\n    >>> f(1)\r\n    1\r\n    """\r\n'
    )
    anatomy = dissect(prompt, "f")

    assert joined(anatomy) == prompt
    assert words(anatomy) == ["Return", "one", "Return", "two"]
