"""Answers that are whole programs: which of several blocks is the program."""

from __future__ import annotations

import pytest

from pytest_coderobust.models.extraction.solution import extract
from pytest_coderobust.records import AnswerReading, Task, Tests

TASK = Task("T/0", "", "", Tests("", "stdio"))
MAIN = "n = int(input())\nprint(n * n)\n"


@pytest.mark.parametrize(
    "chat",
    [
        "{}",
        "```python\n{}```\n",
        "For\n```text\n3\n```\nthe program\n```python\n{}```\nprints 9.",
        "For\n```\n3\n4 5\n```\nthe program\n```\n{}```\nprints\n```\n9\n```\n",
        "```bash\npython main.py\n```\n\n```py\n{}```\n",
        "```json\n{\"a\": 1}\n```\n```Python3\n{}```\n```cpp\nint main() { read(); }\n```\n",
        "```python\n[1, 2]\n```\n```python\n{}```\n```python\n'YES'\n```\n",
        "<think>\n```python\nprint(input())\n```\n</think>\n```python\n{}```\n",
        "Draft:\n```python\nprint(int(input()))\n```\nFixed:\n```python\n{}```\n",
        "```python\n{}```\nThe core is\n```python\nprint(n * n)\n```\n",
        "```python\n{}```\nRun it:\n```\n$ echo 3 | python main.py\n```\n",
    ],
)  # fmt: skip
def test_the_program_is_found(chat: str) -> None:
    assert extract(chat.replace("{}", MAIN), TASK) == MAIN


def test_helpers_and_main_block_belong_together() -> None:
    helper = "def square(n):\n    return n * n\n\nprint(square(int(input())))\n"
    main = "n = int(input())\nprint(square(n))\n"
    together = "def square(n):\n    return n * n\n\n" + main
    before = f"```python\n{helper}```\nand\n```python\n{main}```\n"
    assert extract(before, TASK) == together
    behind = f"```python\n{main}```\nwith\n```python\ndef square(n):\n    return n * n\n\n```\n"
    assert extract(behind, TASK) == together


def test_the_first_program_where_the_suite_says_so() -> None:
    chat = f"```python\n{MAIN}```\n\n```python\nprint(input())\n```\n"
    assert extract(chat, TASK) == "print(input())\n"
    assert extract(chat, TASK, reading=AnswerReading(block="first")) == MAIN


def test_broken_code_is_still_the_answer() -> None:
    chat = "```text\n3\n```\n```python\nn = int(input(\n```\n"
    assert extract(chat, TASK) == "n = int(input(\n"
