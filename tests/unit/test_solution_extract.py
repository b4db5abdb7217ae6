"""From completion to solution: what a judged program keeps of what a model wrote."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_coderobust.models.extraction.blocks import names_of
from pytest_coderobust.models.extraction.solution import extract
from pytest_coderobust.records import Task, Tests

PREAMBLE = "from typing import List\n\n\n"
PROMPT = PREAMBLE + 'def total(values: List[int]) -> int:\n    """Add them up."""\n'
TASK = Task("T/0", PROMPT, "total", Tests("", "asserts"), preamble=PREAMBLE)
BODY = "    result = 0\n    for value in values:\n        result += value\n    return result\n"
WHOLE = f"def total(values):\n{BODY}"


@pytest.fixture(autouse=True)
def recursion_limit() -> Iterator[None]:
    """Keeps the limit that a solution sets from the tests after it."""
    before = sys.getrecursionlimit()
    yield
    sys.setrecursionlimit(before)


def run(completion: str, task: Task = TASK) -> Any:
    """The entry point of the solution, loaded as the sandbox would."""
    namespace: dict[str, Any] = {"input": forbidden, "print": forbidden}
    program = compile(extract(completion, task), "solution", "exec", dont_inherit=True)
    exec(program, namespace)
    return namespace[task.entry_point]


def forbidden(*arguments: object) -> None:
    raise AssertionError(f"the solution ran what stands beside the function: {arguments}")


def test_a_plain_continuation_is_not_touched() -> None:
    assert extract(BODY, TASK) == PROMPT + BODY


def test_raw_touches_nothing() -> None:
    text = "```\r\n\x00\ud800 total(\n<|endoftext|>"
    assert extract(text, TASK, "raw") == PROMPT + text


@pytest.mark.parametrize(
    "after",
    [
        "\nprint(total([1, 2]))\n",
        "\nassert total([1]) == 2\n",
        "\nif __name__ == '__main__':\n    print(total([1]))\n",
        "\nvalues = input()\nprint(total(values))\n",
        "\n# Test\nfor x in range(3):\n    print(total([x]))\n",
        "\nThis function adds the numbers up. It doesn't (I think need more :(\n",
        "\n```\n\nHere is how it works:\n\n```python\nprint(total([1]))\n```\n",
        "\n\ndef test_total():\n    assert total([1]) ==",
        "\n\ndef total(values):\n    return 'again'\n",
        '\n\n"""\nNow write another\n',
        "\n\nclass Solution:\n    def total(self, values",
        "\nimport unittest\nunittest.main()\n",
        "<|endoftext|>def other(): pass",
        "\n\nprint(total([1, 2])\n",
    ],
)
def test_what_follows_the_function_is_cut(after: str) -> None:
    assert run(BODY + after)([1, 2, 3]) == 6


@pytest.mark.parametrize(
    "completion",
    [
        "    return add_all(values)\n\n\ndef add_all(values):\n    return sum(values)\n",
        "    return add_all(values)\n\nprint(1)\n\ndef add_all(values):\n    return sum(values)\n",
        "    return a(values)\n\ndef b(v):\n    return sum(v)\n\ndef a(v):\n    return b(v)\n",
        "    return fold(values)\n\nimport functools\nfold = functools.partial(sum)\n",
        (
            "    return Adder(values)()\n\nzero = 0\n\nclass Adder:\n    START = zero\n"
            "    def __init__(self, v):\n        self.v = v\n    def __call__(self):\n"
            "        return sum(self.v, self.START)\n"
        ),
        (
            "    return cached(tuple(values))\n\nfrom functools import lru_cache\n\n@lru_cache(\n"
            "    maxsize=None\n)\ndef cached(values):\n    return sum(values)\n"
        ),
        (
            "    return add(values)\n\ntry:\n    from nowhere import add\nexcept ImportError:\n"
            "    add = sum\n"
        ),
        "    return add(values)\n\nSo (I think:\n\ndef add(values):\n    return sum(values)\n",
        "    return TABLE['sum'](values)\n\nTABLE = {\n'sum': sum,\n}\n",
        "    return reduce(add, values, 0)\n\nfrom functools import *\nfrom operator import add\n",
    ],
)
def test_what_the_function_needs_is_kept(completion: str) -> None:
    assert run(completion)([1, 2, 3]) == 6


def test_a_name_of_the_function_alone_keeps_nothing() -> None:
    """`values` is the function's parameter; the module's variable is another one."""
    solution = extract(BODY + "\nvalues = eval('1/0')\nresult = values\n", TASK)
    assert "eval" not in solution


@pytest.mark.parametrize(
    "completion",
    [
        BODY[1:],  # a tokenizer ate one space
        BODY[4:],  # or the whole first indent
        "\n\n" + BODY[4:],
        BODY.replace("    ", "\t"),
        "  " + BODY[4:],
        "      " + BODY[4:],
        "\n".join(line[4:] for line in BODY.split("\n")),  # written at the margin
        "return sum(values)",
        "return add(values)\n\ndef add(values):\n    return sum(values)\n",
        "def add(v):\n    return sum(v)\nreturn add(values)\nprint(1)\n",
        "\r\n".join(BODY.split("\n")),
        "# at the margin\n" + BODY,
        "    result = 0\n# a comment at the margin\n" + BODY[15:],
        '    """One more docstring.\nat the margin\n    """\n' + BODY,
        "    text = '''\ndef total(): # no definition\n'''\n" + BODY,
        "    values = [\nvalue for value in values\n]\n" + BODY,
        "    result = \\\n0\n    return result + sum(values)\n",
    ],
)
def test_the_body_is_made_python(completion: str) -> None:
    assert run(completion)([1, 2, 3]) == 6


@pytest.mark.parametrize(
    "completion",
    [
        "values.append(3)\nvalues.append(4)\n",
        "if values:\n    values.append(3)\nvalues.append(4)\n",
        "values.append(3)\nvalues.append(4)\n\nprint(values)\n",
        "values.append(3)\nvalues.append(4)\n\ndef test():\n    pass\n",
        "values.append(3)\n    values.append(4)\n",
    ],
)
def test_a_body_without_a_return_is_made_python(completion: str) -> None:
    values = [1]
    assert run(completion)(values) is None
    assert values == [1, 3, 4]


def test_a_second_try_does_not_replace_a_recursive_function() -> None:
    body = "    return values[0] + total(values[1:]) if values else 0\n"
    assert run(f"{body}\n\ndef total(values):\n    return 'again'\n")([1, 2, 3]) == 6


@pytest.mark.parametrize("newline", ["", "\n"])
def test_a_prompt_may_end_in_its_docstring(newline: str) -> None:
    task = Task("T/0", PROMPT.rstrip("\n"), "total", Tests("", "asserts"))
    assert run(newline + BODY, task)([1, 2]) == 3


def test_a_prompt_may_end_within_a_line() -> None:
    task = Task("T/0", PROMPT + "    return ", "total", Tests("", "asserts"))
    assert run("sum(values)\n\nprint(1)\n", task)([1, 2]) == 3


@pytest.mark.parametrize(
    "tail",
    [
        "    \n    # and then\n    return (",
        "\n    This adds the values, and that's it.\n",
        "    print('unfinished",
        '    """An unfinished docstring\n    goes on',
        "    if values:",
        "    x = [1, 2,\n         3,",
        "  return 7\n",
    ],
)
def test_an_unfinished_end_is_dropped(tail: str) -> None:
    assert run(BODY + tail)([1, 2, 3]) == 6


FENCED = f"```python\n{WHOLE}```"


@pytest.mark.parametrize(
    "completion",
    [
        WHOLE,
        "\n" + WHOLE,
        "from typing import List\n\n" + WHOLE,
        FENCED,
        f"Sure! Here's it:\n\n{FENCED}\n\nIt's linear; don't worry.\n",
        f"{FENCED}\n\nExample:\n\n```python\nprint(total([1]))\n```\n",
        f"First:\n\n```\n$ pip install numpy\n```\n\nthen\n\n{FENCED}\n",
        f"Here it is:\n\n~~~py\n{WHOLE}~~~\n",
        f"```python\n{WHOLE}",  # the token limit cut the closing fence
        f"```python\n{WHOLE}\nprint(total([1, 2]))\nassert total([1]) == 2\n```",
        f"```python\n{PROMPT}{BODY}```",
        f"```\n{BODY}```",  # the body alone
        f"The body is\n\n```python\n{BODY}```\n",
        f"1. Do this:\n\n   ```python\n   {WHOLE}   ```".replace("\n    ", "\n       "),
        f"<think>\nI might write\n```python\ndef total(v): return 1\n```\n</think>\n\n{FENCED}",
        f"{WHOLE}```\n\nThis closes the fence of the prompt.\n",
        f"{WHOLE}\nThe function above isn't (hard to read\n",
        f"Here is the function:\n\n{WHOLE}",
        f"{FENCED}<|im_end|>",
        f"{WHOLE}</s>",
        f"def helper(x):\n    return x\n\n{WHOLE}\n\ndef test_total():\n    assert tot",
    ],
)
def test_a_whole_function_stands_behind_the_preamble(completion: str) -> None:
    assert run(completion)([1, 2, 3]) == 6
    assert extract(completion, TASK).count("Add them up") <= 1


def test_helpers_of_a_whole_function_are_kept() -> None:
    answer = (
        "```python\ndef add(a, b):\n    return a + b\n```\n\nand\n\n"
        "```python\nimport functools\n\n"
        "def total(values):\n    return functools.reduce(add, values, 0)\n\n"
        "print(total([1]))\n```\n"
    )
    assert run(answer)([1, 2, 3]) == 6


def test_the_preamble_is_there_for_a_whole_function() -> None:
    answer = "def total(values: List[int]) -> int:\n    return sum(values)\n"
    assert extract(answer, TASK) == PREAMBLE + answer
    assert run(answer)([1]) == 1


def test_prose_before_the_function_is_no_preamble() -> None:
    prose = "Add them up, won't you?\n"
    task = Task("T/0", prose + WHOLE[:20], "total", Tests("", "asserts"), preamble=prose)
    assert extract(FENCED, task) == WHOLE


def test_a_future_import_comes_first() -> None:
    answer = "from __future__ import annotations\n\ndef total(v: Nowhere):\n    return sum(v)\n"
    assert run(answer)([1, 2]) == 3


def test_fences_in_a_docstring_end_nothing() -> None:
    body = '    """Like so:\n\n    ```python\n    total([1])\n    ```\n    """\n' + BODY
    assert extract(body, TASK) == PROMPT + body


def test_a_recursion_limit_of_ones_own_does_not_matter() -> None:
    assert run(f"import sys\nsys.setrecursionlimit(10**6)\n\n{WHOLE}")([1, 2]) == 3


@pytest.mark.parametrize("completion", ["", "\n\n", "    ", "    # nothing\n"])
def test_nothing_stays_nothing(completion: str) -> None:
    assert extract(completion, TASK) == PROMPT + completion


@pytest.mark.parametrize(
    "completion",
    ["I'm sorry, I can't.", "def total(values:\n", "    return (((\n", "\x00", "\ud800"],
)
def test_what_is_no_python_is_left_to_be_judged(completion: str) -> None:
    solution = extract(completion, TASK)
    assert completion in solution
    with pytest.raises((SyntaxError, ValueError)):
        ast.parse(solution)


def test_a_plain_prompt_is_not_python() -> None:
    prompt = "Write a function total that adds values.\n>>> total([1])\n1\n"
    task = Task("T/0", prompt, "total", Tests("", "asserts"))
    assert extract(FENCED, task) == WHOLE
    assert extract(WHOLE, task) == WHOLE


def test_entry_points_with_like_names_are_told_apart() -> None:
    completion = "    return total_of(values)\n\ndef total_of(values):\n    return sum(values)\n"
    assert run(completion)([1, 2]) == 3


def test_async_and_class_entry_points() -> None:
    task = Task("T/0", "Write a class.\n", "Stack", Tests("", "asserts"))
    assert extract("```python\nclass Stack:\n    pass\n```", task) == "class Stack:\n    pass\n"
    task = Task("T/0", "Write it.\n", "fetch", Tests("", "asserts"))
    source = "async def fetch():\n    return 1\n"
    assert extract(source, task) == source


def test_braced_languages_lose_their_fences() -> None:
    prompt = "import java.util.*;\nclass Solution {\n    public int total(int[] v) {\n"
    body = "        return 0;\n    }\n}"
    task = Task("J/0", prompt, "total", Tests("", "check"), language="java")
    assert extract(body, task) == prompt + body
    assert extract(f"```java\n{body}\n```", task) == prompt + body + "\n"
    whole = f"```java\n{prompt}{body}\n```\nDone."
    assert extract(whole, task) == prompt + body + "\n"


FRAGMENTS = st.sampled_from(
    (
        *("    return values\n", "return 1\n", "def total(values):\n", "def helper(x):\n", "  x\n"),
        *("```python\n", "```", "\n", "'''", '"""', "'", "(", ")", "\\", "\\\n", "#", "@wraps\n"),
        *("else:\n", "class A:\n", "from x import *\n", "from __future__ import annotations\n"),
        *(
            "<think>",
            "</think>",
            "<|endoftext|>",
            "\t",
            "    ",
            "\x00",
            "\ud800",
            "\x0c",
            "\r",
            "é",
        ),
        *("global x\n", "nonlocal x\n", "yield 1\n", "f'{", "}", "lambda:", "total", "x := 1\n"),
    )
)


@given(st.lists(FRAGMENTS, max_size=30).map("".join), st.sampled_from(["python", "java"]))
@settings(deadline=None)
def test_no_text_breaks_the_extractor(completion: str, language: Any) -> None:
    task = Task("T/0", PROMPT, "total", Tests("", "asserts"), preamble=PREAMBLE, language=language)
    assert extract(completion, task, "raw") == PROMPT + completion
    assert isinstance(extract(completion, task), str)


@given(st.lists(FRAGMENTS.filter(lambda text: text[0] not in "`<"), max_size=15).map("".join))
@settings(deadline=None)
def test_a_solution_that_is_python_stays_the_same_when_extracted_again(completion: str) -> None:
    """Only the prompt or the preamble is before it, so nothing is left to cut."""
    once = extract(completion, TASK)
    if once.startswith(PROMPT) and names_of(once) is not None:
        assert extract(once[len(PROMPT) :], TASK) == once
