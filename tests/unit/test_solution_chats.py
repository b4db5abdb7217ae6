"""Chats around an answer, in every arrangement: its program comes out, byte for byte."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.models.extraction.solution import UNFINISHED, extract
from pytest_coderobust.models.extraction.thoughts import PAIRS
from pytest_coderobust.records import Completion, Task, Tests

PREAMBLE = "import math\n\n\n"
TASK = Task(
    "T/0", f'{PREAMBLE}def f(n):\n    """Do it."""\n', "f", Tests("", "asserts"), preamble=PREAMBLE
)
SCRIPT = Task("T/1", "", "", Tests("", "stdio"))

prose = st.sampled_from(
    (
        "Sure, here's the function (it isn't long):",
        "Let me think about it.",
        '# A heading\n\n- a list, with `f(n)` in it\n- and "quotes"',
        "For the input 3 the output is 9; f(3) == 9.",
        "if you need more, just ask",
        "",
    )
)
draft_body = st.sampled_from(("return 0", "return n % 4 != 0", "pass", "return f(n - 1)"))
drafts = draft_body.map(lambda body: f"def f(n):\n    {body}\n")
table = "t = [0] * 9\nfor i in range(9):\n    t[i] = i * i\n\n"
programs = st.sampled_from(
    (
        "def f(n):\n    return n * n\n",
        "def f(n):\n    s = '# no comment ```'\n    return n * n\n",
        'def f(n):\n    """Square.\n\n    def f(n): no\n    """\n    return n * n\n',
        "import math\n\n\ndef square(n):\n    return math.prod((n, n))\n\n\ndef f(n):\n    return square(n)\n",
        f"{table}def f(n):\n    return t[n]\n",
        "import sys\nsys.setrecursionlimit(9000)\n\ndef f(n):\n    return n and f(n - 1)\n",
        'def f(n):\n    """Square.\n\n    ```python\n    f(3)\n    ```\n    """\n    return n * n\n',
        "f = lambda n: n * n\n",
        "from functools import lru_cache\n\n@lru_cache(maxsize=None)\ndef f(n):\n    return n * n\n",
        "try:\n    from math import isqrt\nexcept ImportError:\n    isqrt = None\n\ndef f(n):\n    return isqrt(n)\n",
        "class f:\n    def __new__(cls, n):\n        return n * n\n",
        "async def f(n):\n    return n\n",
        "if True:\n    def f(n):\n        return n * n\n",
    )
)  # fmt: skip
scripts = st.sampled_from(
    (
        "n = int(input())\nprint(n * n)\n",
        "import sys\n\ndef main():\n    print(sys.stdin.read())\n\nmain()\n",
        "for _ in range(int(input())):\n    print(input())\n",
    )
)
tags = st.sampled_from(("", "python", "py", "Python3"))
marks = st.sampled_from(("```", "~~~", "````"))
others = st.sampled_from(
    (
        "```text\n3\n```\n",
        "```bash\npip install f\n```\n",
        "```\n3\n4 5\n```\n",
        '```json\n{"f": 1}\n```\n',
    )
)
examples = st.sampled_from(
    (
        "```python\nprint(f(3))\n```\n",
        "```python\nfrom answer import f\nassert f(3) == 9\n```\n",
        "```\n>>> f(3)\n9\n```\n",
        "The end.<|im_end|>",
        "",
    )
)
asides = st.sampled_from(
    ("A sketch:", "Don't do this:", "### Alternative", "For comparison, the naive way:")
)
thoughts = st.sampled_from(PAIRS)


@st.composite
def fence(draw: st.DrawFn, code: str) -> str:
    """A fenced block, perhaps in an item of a list."""
    mark, tag = draw(marks), draw(tags)
    indent = draw(st.sampled_from(("", "", "   ")))
    lines = f"{mark}{tag}\n{code}{mark}".split("\n")
    return "".join(f"{indent}{line}".rstrip(" ") + "\n" if line else "\n" for line in lines)


@st.composite
def thought(draw: st.DrawFn, inside: st.SearchStrategy[str]) -> str:
    """A thought with drafts in it; its opening tag may be in the template, or come late."""
    tag, closing = draw(thoughts)
    opening = draw(st.sampled_from((f"{tag}\n", "", f"So:\n{tag}")))
    return f"{opening}{draw(prose)}\n{draw(inside)}\n{closing}\n\n"


@st.composite
def chats(
    draw: st.DrawFn, answer: str, wrong: st.SearchStrategy[str], after: st.SearchStrategy[str]
) -> str:
    """A chat in which the answer is the last block that could be one."""
    around = st.one_of(prose.map(lambda text: f"{text}\n"), others)
    draft = wrong.flatmap(fence)
    parts = [draw(thought(draft))] if draw(st.booleans()) else []
    parts += draw(st.lists(st.one_of(around, draft), max_size=4))
    parts.append(f"{draw(prose)}\n")
    parts.append(draw(fence(answer)))
    parts += draw(st.lists(around, max_size=2))
    parts.append(draw(after))
    text = "".join(parts)
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


@given(st.data())
def test_the_answers_program_comes_out(data: st.DataObject) -> None:
    answer = data.draw(programs)
    chat = data.draw(chats(answer, drafts, examples))
    assert extract(chat, TASK) == PREAMBLE + answer


@given(st.data())
def test_the_answers_script_comes_out(data: st.DataObject) -> None:
    answer = data.draw(scripts)
    after = st.sampled_from(("```\n9\n```\n", "```text\n9\n```\n", ""))
    wrong = st.sampled_from(("print(input())\n", "def square(n):\n    return n * n\n"))
    assert extract(data.draw(chats(answer, wrong, after)), SCRIPT) == answer


@given(st.data())
def test_a_program_comes_out_without_a_chat(data: st.DataObject) -> None:
    answer = data.draw(programs)
    text = data.draw(st.sampled_from(("{}", "\n\n{}", "{}```\nThat is it.\n", "{}\nprint(f(3))\n")))
    opening, closing = data.draw(thoughts)
    before = data.draw(st.sampled_from(("", f"{opening}\n1\n{closing}\n", f"1\n{closing}\n")))
    assert (
        extract(before + text.replace("{}", answer), TASK).rstrip() == (PREAMBLE + answer).rstrip()
    )


@given(st.data())
def test_a_thought_that_never_ends_has_no_program(data: st.DataObject) -> None:
    chat = data.draw(chats(data.draw(programs), drafts, examples))
    opening, _ = data.draw(thoughts)
    assert extract(f"{chat}\n{opening}\n{data.draw(prose)}", TASK) == UNFINISHED
    draft = Completion(data.draw(drafts.flatmap(fence)), "eos", opened=opening)
    assert extract(draft.answer, TASK) == UNFINISHED


@given(st.data())
def test_a_thought_that_the_template_opened_ends_like_any_other(data: st.DataObject) -> None:
    answer = data.draw(programs)
    opening, closing = data.draw(thoughts)
    inside, chat = data.draw(drafts.flatmap(fence)), data.draw(chats(answer, drafts, examples))
    told = Completion(f"{inside}{closing}\n{chat}", "eos", opened=opening)
    assert extract(told.answer, TASK) == extract(told.text, TASK) == PREAMBLE + answer


@given(st.data())
def test_what_is_shown_beside_the_answer_changes_nothing(data: st.DataObject) -> None:
    answer = data.draw(programs)
    chat = data.draw(chats(answer, drafts, st.just("")))
    for _ in range(data.draw(st.integers(1, 3))):
        chat += f"\n{data.draw(asides)}\n{data.draw(drafts.flatmap(fence))}"
    assert extract(chat, TASK) == PREAMBLE + answer
