"""HumanEval, and own tasks in its shape: prompt, entry point, tests, maybe a solution and tags."""

from __future__ import annotations

import ast
import io
import re

from pytest_coderobust.records import PromptForm, Task, Tests, TestStyle
from pytest_coderobust.tasks.program import (
    bound,
    definition,
    first_line,
    parse,
    parse_prompt,
    used,
)
from pytest_coderobust.tasks.rows import DataRow


def read_humaneval(row: DataRow, _form: PromptForm) -> Task:
    """Reads the task of one row.

    Raises:
        DataError: a key is missing, or the task has no tests or no entry point.
    """
    prompt = row.text("prompt")
    canonical = row.optional_text("canonical_solution")
    entry = entry_point(row, prompt, canonical)
    source = row.optional_text("test") or ""
    return Task(
        id=row.identifier("task_id"),
        prompt=prompt,
        entry_point=entry,
        tests=trusted_tests(row, source, prompt, canonical, entry),
        canonical=canonical,
        preamble=preamble(prompt, entry),
        tags=row.texts("tags"),
    )


def trusted_tests(
    row: DataRow, source: str, prompt: str, canonical: str | None, entry: str
) -> Tests:
    """The judge, with the prompt's own names where the tests use them beside the entry point.

    Raises:
        DataError: there are no tests, or they are no Python program.
    """
    if not source.strip():
        raise row.error("the task has no tests: 'test' is empty")
    tree = parse(source)
    if tree is None:
        raise row.error("'test' is no Python program")
    style: TestStyle = "check" if definition(tree, "check") else "asserts"
    if style == "asserts" and not any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
        raise row.error("the task has no tests: 'test' has neither check(candidate) nor an assert")
    return Tests(source=source, style=style, helpers=_helpers(tree, prompt, canonical, entry))


def preamble(prompt: str, entry: str) -> str:
    """What stands before the entry function in a prompt."""
    tree = parse_prompt(prompt)
    found = definition(tree, entry) if tree else None
    if found is not None:
        lines = list(io.StringIO(prompt, newline=""))  # splits where Python's tokenizer does
        return "".join(lines[: first_line(found) - 1])
    written = _written(entry).search(prompt)
    return prompt[: written.start()] if written else ""


def entry_point(row: DataRow, prompt: str, canonical: str | None) -> str:
    """The name that the tests call, which prompt or canonical solution must define.

    Raises:
        DataError: there is none, or neither defines it.
    """
    entry = row.optional_text("entry_point")
    if not entry:
        raise row.error("the task has no entry point: the key 'entry_point' is missing or empty")
    if not entry.isidentifier():
        raise row.error(f"the entry point {entry!r} is no name of a function")
    if not any(_written(entry).search(text) for text in (prompt, canonical or "")):
        names = [str(name) for name in re.findall(r"^(?:async +)?def +(\w+)", prompt, re.M)]
        hint = f"; it defines {', '.join(map(repr, names))}" if names else ""
        raise row.error(f"the entry point {entry!r} is not defined by the prompt{hint}")
    return entry


def _written(entry: str) -> re.Pattern[str]:
    return re.compile(rf"^(?:async +def|def|class) +{re.escape(entry)}\b", re.M)


def _helpers(tests: ast.Module, prompt: str, canonical: str | None, entry: str) -> str:
    """The prompt as a program, where the tests use a name of it besides the entry point.

    HumanEval/32 calls `poly`, /38 `encode_cyclic`, /50 `encode_shift`: names of the prompt.
    """
    tree = parse_prompt(prompt)
    if tree is None:
        return ""
    wanted = used([tests]) - bound(tests.body).keys() - {entry}
    if not wanted & bound(tree.body).keys():
        return ""
    if canonical is not None:
        return prompt + canonical
    return prompt if parse(prompt) else prompt + "\n    pass\n"
