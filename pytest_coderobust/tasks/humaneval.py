"""HumanEval's rows and own tasks in its shape: prompt, entry point, tests, solution, tags."""

from __future__ import annotations

import ast
import io
import re

from pytest_coderobust.records import PromptForm, Task, Tests, TestStyle
from pytest_coderobust.tasks.program import (
    find_bindings,
    find_definition,
    find_first_line,
    find_used_names,
    parse,
    parse_prompt,
)
from pytest_coderobust.tasks.rows import DataRow


def read_humaneval(row: DataRow, _form: PromptForm) -> Task:
    """Reads the task of one row.

    Raises:
        DataError: a key is missing, or the task has no tests or no entry point.
    """
    prompt = row.text("prompt")
    canonical = row.optional_text("canonical_solution")
    entry = read_entry_point(row, prompt, canonical)
    source = row.optional_text("test") or ""
    return Task(
        id=row.identifier("task_id"),
        prompt=prompt,
        entry_point=entry,
        tests=read_tests(row, source, prompt, canonical, entry),
        canonical=canonical,
        preamble=cut_preamble(prompt, entry),
        tags=row.texts("tags"),
    )


def read_tests(row: DataRow, source: str, prompt: str, canonical: str | None, entry: str) -> Tests:
    """Reads the tests, with the prompt's own names where they use more than the entry point.

    Raises:
        DataError: there are no tests, or they are not a valid Python program.
    """
    if not source.strip():
        raise row.error("the task has no tests: 'test' is empty")
    tree = parse(source)
    if tree is None:
        raise row.error("'test' is not a valid Python program")
    style: TestStyle = "check" if find_definition(tree, "check") else "asserts"
    if style == "asserts" and not _has_assert(tree):
        raise row.error("the task has no tests: 'test' has neither check(candidate) nor an assert")
    helpers = row.optional_text("helpers") or _helpers(tree, prompt, canonical, entry)
    return Tests(source=source, style=style, helpers=helpers)


def _has_assert(tree: ast.Module) -> bool:
    """Whether a source asserts something: by a statement, or as `np.testing.assert_equal` does."""
    names = (
        node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    )
    return any(isinstance(node, ast.Assert) for node in ast.walk(tree)) or any(
        name.startswith("assert_") for name in names
    )


def cut_preamble(prompt: str, entry: str) -> str:
    """Cuts out the part of a prompt before the entry function."""
    tree = parse_prompt(prompt)
    found = find_definition(tree, entry) if tree else None
    if found is not None:
        lines = list(io.StringIO(prompt, newline=""))  # splits where Python's tokenizer does
        return "".join(lines[: find_first_line(found) - 1])
    written = _head_pattern(entry).search(prompt)
    return prompt[: written.start()] if written else ""


def read_entry_point(row: DataRow, prompt: str, canonical: str | None) -> str:
    """Reads the name that the tests call; prompt or canonical solution must define it.

    Raises:
        DataError: it is missing, or neither defines it.
    """
    entry = row.optional_text("entry_point")
    if not entry:
        raise row.error("the task has no entry point: the key 'entry_point' is missing or empty")
    if not entry.isidentifier():
        raise row.error(f"the entry point {entry!r} is not a valid name of a function")
    if not any(_head_pattern(entry).search(text) for text in (prompt, canonical or "")):
        names = [str(name) for name in re.findall(r"^(?:async +)?def +(\w+)", prompt, re.M)]
        hint = f"; it defines {', '.join(map(repr, names))}" if names else ""
        raise row.error(f"the entry point {entry!r} is not defined by the prompt{hint}")
    return entry


def _head_pattern(entry: str) -> re.Pattern[str]:
    return re.compile(rf"^(?:async +def|def|class) +{re.escape(entry)}\b", re.M)


def _helpers(tests: ast.Module, prompt: str, canonical: str | None, entry: str) -> str:
    """The prompt as a program where the tests use other names of it than the entry point.

    HumanEval/32 calls `poly`, /38 `encode_cyclic`, /50 `encode_shift`: names of the prompt.
    """
    tree = parse_prompt(prompt)
    if tree is None:
        return ""
    wanted = find_used_names([tests]) - find_bindings(tests.body).keys() - {entry}
    if not wanted & find_bindings(tree.body).keys():
        return ""
    if canonical is not None:
        return prompt + canonical
    return prompt if parse(prompt) else prompt + "\n    pass\n"
