"""Stubs: completions that do nothing, which the tests of a task must refuse."""

from __future__ import annotations

import ast

from pytest_coderobust.records import Task

STUBS = {
    "cpp": "    throw 0;\n}\n",
    "java": "        throw new IllegalStateException();\n    }\n}\n",
}


def make_stub(task: Task) -> str:
    """Makes a completion that does nothing and fits behind the prompt.

    A partial prompt may end inside a block, so deeper bodies are tried too.
    """
    if task.tests.style == "stdio":
        return "pass\n"
    if task.language != "python":
        return STUBS[task.language]
    for body in (*(f"{' ' * 4 * depth}pass\n" for depth in range(1, 8)), "\tpass\n"):
        try:
            ast.parse(task.prompt + body)
        except SyntaxError:
            continue
        if f"def {task.entry_point}" in task.prompt:
            return body
    return f"def {task.entry_point}(*arguments, **options):\n    pass\n"
