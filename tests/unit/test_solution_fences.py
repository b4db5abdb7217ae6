"""Blocks of an answer: those tagged as another language, and fences that close deeper than they open."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_coderobust.models.extraction.fenced import Fenced, list_blocks
from pytest_coderobust.models.extraction.solution import extract
from pytest_coderobust.records import AnswerReading, Language, Task, Tests

PROMPT = 'def total(values):\n    """Add them up."""\n'
TASK = Task("T/0", PROMPT, "total", Tests("", "asserts"))
WHOLE = "def total(values):\n    return sum(values)\n"
SKETCH = "def total(values):\n    values.inject { |a, b| a + b }\n"
LOOKS_RIGHT = "def total(values):\n    return values.reduce(0)\n"

foreign = st.sampled_from(["ruby", "Ruby", "javascript", "text", "pseudocode", "{.scala}", "c++"])
own = st.sampled_from(
    ["", "python", "Python", "py", "python3", "{.python}", "solution.py", "answer"]
)
proses = st.sampled_from(["", "In Ruby:\n", "Zum Vergleich in Ruby:\n", "So it goes.\n"])


def fence(code: str, tag: str) -> str:
    return f"```{tag}\n{code}```\n"


@given(own, foreign, st.sampled_from([SKETCH, LOOKS_RIGHT]), proses, st.booleans(), st.booleans())
def test_a_sketch_in_another_language_is_no_candidate(
    tag: str, other: str, sketch: str, prose: str, behind: bool, first: bool
) -> None:
    answer, shown = fence(WHOLE, tag), f"{prose}{fence(sketch, other)}"
    chat = f"Here:\n{answer}{shown}" if behind else f"Hm.\n{shown}Now:\n{answer}"
    reading = AnswerReading("first" if first else "last")
    assert extract(chat, TASK, reading=reading) == WHOLE


@given(foreign)
def test_a_wrong_tag_alone_keeps_no_answer_away(tag: str) -> None:
    assert extract(f"Here:\n{fence(WHOLE, tag)}", TASK) == WHOLE


@pytest.mark.parametrize(
    ("word", "language", "foreign"),
    [
        ("python", "python", False),
        ("py", "cpp", True),
        ("c++", "cpp", False),
        ("java", "java", False),
        ("java", "cpp", True),
        ("javascript", "java", True),
        ("", "cpp", False),
        ("main.cc", "python", False),
    ],
)
def test_a_tag_names_a_language(word: str, language: Language, foreign: bool) -> None:
    assert Fenced(word, "").is_foreign(language) is foreign


def test_a_task_in_another_language_keeps_its_own_blocks() -> None:
    prompt = "int total(std::vector<int> values){\n"
    task = Task("T/1", prompt, "total", Tests("", "asserts"), language="cpp")
    right = "int total(std::vector<int> values){\n    return 1;\n}\n"
    wrong = "int total(std::vector<int> values){\n    return 2;\n}\n"
    chat = f"Here:\n{fence(right, 'cpp')}In Java:\n{fence(wrong, 'java')}"
    assert extract(chat, task) == right


codes = st.sampled_from([WHOLE, "x = 1\n", f"import sys\n\n{WHOLE}"])


@given(st.lists(codes, min_size=1, max_size=3), st.integers(4, 12), st.sampled_from(["", "python"]))
def test_a_deeper_fence_closes_where_prose_follows(texts: list[str], indent: int, tag: str) -> None:
    text = "".join(
        f"```{tag}\n{code}{' ' * indent}```\nThat isn't all, dear reader.\n" for code in texts
    )
    usage = "```\nprint(total([1]))\n```\n"
    found = [block.text for block in list_blocks(f"Here:\n{text}{usage}")]
    assert found == [*texts, "print(total([1]))\n"]


INSIDE = '''def total(values):
    """Add them up.

    {fence}
    >>> total([1])
    {fence}
    """
    return sum(values)
'''


@settings(max_examples=30)
@given(st.integers(4, 8), st.sampled_from(["```", "```text"]), st.booleans())
def test_a_deeper_fence_in_a_docstring_closes_nothing(indent: int, ticks: str, twice: bool) -> None:
    code = INSIDE.replace("    {fence}", " " * indent + ticks)
    chat = f"Here:\n```python\n{code}```\n" + ("And so on.\n```\nx = 1\n```\n" if twice else "")
    assert list_blocks(chat)[0].text == code
    assert extract(chat, TASK) == code
