"""Malformed prompts under changes of code and under rewriters are changed soundly or skipped."""

from __future__ import annotations

import ast
import warnings

import pytest
from test_hostile_prompts import PROMPTS

from coderobust_strategies import perturb
from coderobust_strategies.audit import audit, is_damaged
from coderobust_strategies.perturbations.recode import TaskCode, code_names, recode
from coderobust_strategies.prompt.source import parse

LARGE = 'def f(x):\n    """Return the sum of both values."""\n' + "    x = x + 1\n" * 8_000


def as_task(prompt: str) -> TaskCode:
    indent = "\t" if "\n\t" in prompt else "    "
    return TaskCode(prompt, f"{indent}return x\n", "def check(c):\n    assert c(1) == 1\n", "f")


def sound(task: TaskCode) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ast.parse(task.prompt + task.solution)
        ast.parse(task.tests)
    return f"def {task.entry_point}(" in task.prompt


@pytest.mark.parametrize("name", code_names())
@pytest.mark.parametrize("kind", PROMPTS)
def test_changed_code_still_parses_or_is_left_alone(kind: str, name: str) -> None:
    task = as_task(PROMPTS[kind])
    made = recode(task, name, 0, task_id=kind)
    if made.skipped:
        assert made.task == task
    else:
        assert sound(made.task), made.task
    if parse(task.prompt + task.solution) is None:
        assert made.skipped == "prompt and canonical solution are not Python together"


@pytest.mark.parametrize("name", code_names())
def test_a_hundred_kilobytes_of_code_are_changed_soundly(name: str) -> None:
    task = as_task(LARGE)
    made = recode(task, name, 0)
    assert made.task == task if made.skipped else sound(made.task)


REWRITERS = {
    "shouts": str.upper,
    "reverses": lambda text: " ".join(reversed(text.split())),
    "empties": lambda _: "",
    "quotes": lambda text: text + ' """ + "',
    "breaks lines": lambda text: text.replace(" ", "\n"),
    "digits": lambda text: text + " 7",
    "nul": lambda text: text + " \x00",
}


@pytest.mark.parametrize("rewriter", REWRITERS)
@pytest.mark.parametrize("kind", PROMPTS)
def test_a_rewriter_cannot_corrupt_a_prompt(kind: str, rewriter: str) -> None:
    prompt = PROMPTS[kind]
    made = perturb(prompt, "S1", 0, entry_point="f", rewriter=REWRITERS[rewriter])
    assert bool(made.skipped) == (made.prompt == prompt)
    assert not is_damaged(audit(prompt, made.prompt))
    assert made.prompt.count("\n") >= prompt.count("\n") or not made.skipped
    assert made.prompt.startswith(prompt[: prompt.index("def f")])
