"""Thoughts of reasoning models: what stands behind the last closing tag is the answer."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_coderobust.models.extraction.solution import UNFINISHED, extract
from pytest_coderobust.models.extraction.thoughts import PAIRS, find_answer
from pytest_coderobust.records import AnswerReading, Task, Tests

TASK = Task("T/0", 'def f(n):\n    """Do."""\n', "f", Tests("", "asserts"))
FINAL = "```python\ndef f(n):\n    return 2\n```\n"
DRAFT = "Maybe\n```python\ndef f(n):\n    return 1\n```\nno.\n"


@pytest.mark.parametrize(("opening", "closing"), PAIRS)
@pytest.mark.parametrize("before", ["", "{}\n", "Let me see.\n{}", "Well:\n\n{} once more "])
def test_the_answer_stands_behind_the_last_closing_tag(
    opening: str, closing: str, before: str
) -> None:
    text = f"{before.replace('{}', opening)}{DRAFT}{closing}\n\n{FINAL}"
    assert find_answer(text) == FINAL
    assert extract(text, TASK) == "def f(n):\n    return 2\n"


def test_thoughts_may_come_twice() -> None:
    assert find_answer("<think>a</think>b<think>c</think>d") == "d"
    assert find_answer("a</think>b</THINK>c") == "c"


@pytest.mark.parametrize("language", ["python", "java", "cpp"])
@pytest.mark.parametrize("style", ["asserts", "stdio"])
@pytest.mark.parametrize(
    "text",
    [
        f"<think>\n{DRAFT}{FINAL}",
        f"Let me see. <reasoning>{FINAL}",
        f"<think>a</think>{FINAL}<think>{FINAL}",
        f"<thinking>a<think>b</think>{FINAL}",
        "<think>",
    ],
)
def test_a_thought_that_never_ends_is_no_answer(text: str, style: Any, language: Any) -> None:
    task = Task("T/0", "", "f", Tests("", style), language=language)
    assert find_answer(text) is None
    assert extract(text, task) == UNFINISHED
    with pytest.raises(SyntaxError):
        compile(UNFINISHED, "solution", "exec")


def test_raw_knows_no_thoughts() -> None:
    assert extract(f"<think>{FINAL}", TASK, "raw") == f"{TASK.prompt}<think>{FINAL}"


def test_a_users_own_tags() -> None:
    reading = AnswerReading(reasoning=("[[", "]]"))
    assert find_answer(f"[[x]]\n{FINAL}", reading.reasoning) == FINAL
    assert find_answer("[[x", reading.reasoning) is None
    assert find_answer("[[x") == "[[x"
    assert extract(f"[[{DRAFT}]]{FINAL}", TASK, reading=reading).count("return") == 1
    assert find_answer(f"<think>x</think>{FINAL}", reading.reasoning) == FINAL


@pytest.mark.parametrize(
    "program",
    [
        "    return n.split('</think>')[-1]\n",
        '    return re.sub(r"<think>.*?</think>", "", n)\n',
        "    tag = '<thinking>'\n    return tag\n",
        "    std::vector<thought> v;\n",
        "Use `<think>` and `</think>` to end it.\n",
    ],
)
def test_a_tag_in_a_program_is_part_of_it(program: str) -> None:
    assert find_answer(program) == program


def test_an_apostrophe_hides_no_tag() -> None:
    assert find_answer("It doesn't work</think>It's\n") == "It's\n"
    assert find_answer('He said "no</think>yes') == "yes"
