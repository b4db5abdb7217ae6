"""Tests of the choice among blocks: the last one that is meant, whatever words are around it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.models.extraction.choice import is_stub
from pytest_coderobust.models.extraction.solution import extract
from pytest_coderobust.records import AnswerReading, Task, Tests

TASK = Task("T/0", 'def f(n):\n    """Square."""\n', "f", Tests("", "asserts"))
RIGHT = "def f(n):\n    return n * n\n"
OTHER = "def f(n):\n    return n + n\n"
FIRST = AnswerReading(block="first")

ASIDES = (
    "A sketch of the idea:",
    "Don't write it this way:",
    "Alternatively, with recursion:",
    "For comparison, the naïve version:",
    "### Alternative",
    "**Optional variation**",
    "It is linear. If you only need small numbers, this is shorter:",
    "A common mistake is to add:",
    "This one would fail for 3:",
    "What not to do:",
)
CORRECTIONS = (
    "That is wrong. Corrected:",
    "Wait, f(3) is 9:",
    "However, this fails for 3. An alternative is to multiply:",
    "",
    "Next:",
    "Let's try another way:",
    "To avoid the loop, multiply:",
    "It also works for negative numbers:",
    "### Final version",
    "Let me reconsider. Another approach:",
    "A better variant:",
    "This keeps the original order:",
    "For example, f(3) is 9:",
    "If you want more, just ask.",
)
LEADS = ("Sure:", "", "Here is the function.", "To solve it, multiply:", "## Solution")
TAILS = (
    "",
    "It is linear.",
    "I hope this helps!",
    "```text\n9\n```\n",
    "```python\nprint(f(3))\n```\n",
)
STUBS = (
    "def f(n):\n    pass\n",
    'def f(n):\n    """Square."""\n    ...\n',
    "def f(n):\n    # TODO\n    raise NotImplementedError\n",
    "import math\n\ndef half(n):\n    return n / 2\n\ndef f(n):\n    return None\n",
    "def f(n):\n    return\n",
)  # fmt: skip


def fence(code: str) -> str:
    return f"```python\n{code}```\n"


leads, tails = st.sampled_from(LEADS), st.sampled_from(TAILS)


@given(leads, st.sampled_from(ASIDES), tails)
def test_a_block_that_is_shown_beside_the_answer_is_not_it(
    lead: str, aside: str, tail: str
) -> None:
    chat = f"{lead}\n{fence(RIGHT)}{aside}\n{fence(OTHER)}{tail}"
    assert extract(chat, TASK) == RIGHT
    assert extract(chat, TASK, reading=FIRST) == RIGHT


@given(leads, st.sampled_from(CORRECTIONS), tails)
def test_the_last_one_counts_unless_it_is_shown_beside(
    lead: str, correction: str, tail: str
) -> None:
    chat = f"{lead}\n{fence(OTHER)}{correction}\n{fence(RIGHT)}{tail}"
    assert extract(chat, TASK) == RIGHT
    assert extract(chat, TASK, reading=FIRST) == OTHER


@given(
    leads,
    st.lists(st.sampled_from(CORRECTIONS[:2]), max_size=3),
    st.lists(st.sampled_from(ASIDES), max_size=3),
)
def test_drafts_may_come_before_and_asides_behind(
    lead: str, corrections: list[str], asides: list[str]
) -> None:
    drafts = "".join(f"{fence(OTHER)}{words}\n" for words in corrections)
    behind = "".join(f"{words}\n{fence(OTHER)}" for words in asides)
    assert extract(f"{lead}\n{drafts}{fence(RIGHT)}{behind}", TASK) == RIGHT


@pytest.mark.parametrize("stub", STUBS)
@pytest.mark.parametrize("between", ["", "Then:", "A sketch:", "That is wrong. Corrected:"])
def test_a_stub_is_not_the_answer_where_there_is_another(stub: str, between: str) -> None:
    assert is_stub(stub)
    assert not is_stub(RIGHT)
    for chat in (
        f"{fence(RIGHT)}{between}\n{fence(stub)}",
        f"{fence(stub)}{between}\n{fence(RIGHT)}",
    ):
        assert extract(chat, TASK).endswith(RIGHT)
    assert extract(fence(stub), TASK) == stub.removeprefix("import math\n\n")


@pytest.mark.parametrize(
    "words",
    [
        "That loses the sign.",
        "But prefer the first version.",
        "It is slower, and it breaks for zero.",
        "This one would still be wrong for 3.",
        "The first version is correct.",
        "Use the earlier one.",
    ],
)
def test_words_behind_the_last_block_may_take_it_back(words: str) -> None:
    chat = f"{fence(RIGHT)}In one line:\n{fence(OTHER)}"
    assert extract(chat, TASK) == OTHER
    assert extract(chat + words, TASK) == RIGHT


@pytest.mark.parametrize(
    "words",
    [
        "It does not use recursion.",
        "This no longer fails for negative numbers.",
        "This won't fail for zero.",
        "It never crashes.",
        "This fixes the wrong result of the first version.",
        "It raises ValueError where the input is incorrect.",
        "The first version was wrong.",
        "Unlike the earlier version, this handles zero.",
        "I prefer the corrected one.",
    ],
)
@pytest.mark.parametrize("between", ["", "Let me fix it.", "Next, multiply:"])
def test_words_about_what_was_wrong_before_take_nothing_back(between: str, words: str) -> None:
    chat = f"{fence(OTHER)}{between}\n{fence(RIGHT)}{words}"
    assert extract(chat, TASK) == RIGHT


def test_a_correction_that_has_limits_is_the_answer() -> None:
    chat = f"{fence(OTHER)}Let me fix it.\n{fence(RIGHT)}It does not handle floats."
    assert extract(chat, TASK) == RIGHT


def test_where_no_block_is_left_the_last_counts() -> None:
    chat = f"A naive approach:\n{fence(OTHER)}Another way:\n{fence(RIGHT)}"
    assert extract(chat, TASK) == RIGHT


def test_of_alternatives_the_first_counts() -> None:
    chat = f"### Alternative 1\n{fence(RIGHT)}### Alternative 2\n{fence(OTHER)}"
    assert extract(chat, TASK) == RIGHT
