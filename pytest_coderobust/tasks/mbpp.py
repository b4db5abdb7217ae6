"""MBPP's rows: full JSONL, sanitized JSON and CSV.

The entry point is the function of the gold program that the asserts call. The tests keep the
data set's asserts; what they use besides the entry point comes from the gold program.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache

from pytest_coderobust.records import PromptForm, Task, Tests
from pytest_coderobust.tasks import form as forms
from pytest_coderobust.tasks.gold import Gold, dissect, find_entry_points
from pytest_coderobust.tasks.program import (
    cut_source,
    find_bindings,
    find_needed,
    find_used_names,
    parse,
)
from pytest_coderobust.tasks.rows import DataRow

KEYS = frozenset({"code", "test_list"})
"""The keys that tell a row of MBPP from others."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Code and asserts of a task without its description.

    Attributes:
        examples: the docstring's lines for the asserts.
    """

    code: str
    asserts: tuple[str, ...]
    entry: str
    gold: Gold
    examples: tuple[str, ...]
    tests: Tests

    def prompt(self, description: str, form: PromptForm) -> str:
        """The prompt of a description; a perturbed one passes through the same form."""
        if form == "plain":
            return forms.write_plain_prompt(description, self.asserts)
        return forms.write_docstring_prompt(self.gold, description, self.examples)


def read_mbpp(row: DataRow, form: PromptForm) -> Task:
    """Reads the task of one row.

    Raises:
        DataError: the row lacks a key or tests, or its asserts call none or several functions.
    """
    problem = read_mbpp_problem(row)
    plain = form == "plain"
    return Task(
        id=read_mbpp_id(row),
        prompt=problem.prompt(read_mbpp_description(row), form),
        entry_point=problem.entry,
        tests=problem.tests,
        canonical=problem.code if plain else forms.write_docstring_canonical(problem.gold),
        preamble="" if plain else forms.write_preamble(problem.gold),
    )


def read_mbpp_id(row: DataRow) -> str:
    """Reads the id of a row's task: "MBPP/2", however the file writes it."""
    return f"MBPP/{row.identifier('task_id').rpartition('/')[2]}"


def read_mbpp_description(row: DataRow) -> str:
    """Reads the description of the task."""
    return row.text("prompt" if "prompt" in row else "text")


def read_mbpp_problem(row: DataRow) -> Problem:
    """Reads code and asserts of a row.

    Raises:
        DataError: as `read_mbpp`.
    """
    code = row.text("code").replace("\r\n", "\n").rstrip("\n") + "\n"
    asserts = row.texts("test_list")
    if not asserts:
        raise row.error("the task has no tests: 'test_list' is empty")
    found = _problem(code, _setup(row), asserts, row.optional_text("test"))
    if isinstance(found, str):
        raise row.error(found)
    return found


@lru_cache(maxsize=2048)  # recorded variants bring the same programs twenty times
def _problem(
    code: str, setup: tuple[str, ...], asserts: tuple[str, ...], more: str | None
) -> Problem | str:
    """The problem, or the reason why it cannot be used."""
    program = parse(code)
    if program is None:
        return "'code' is not a valid Python program"
    called = parse("\n".join(asserts))
    source = "\n".join([*setup, *([more] if more else asserts)]) + "\n"
    tests = parse(source)
    if called is None or tests is None:
        return "'test_list' is not a valid Python program"
    names = find_entry_points(program, called)
    if len(names) != 1:
        listed = ", ".join(names)
        return (
            f"the task's asserts call several functions: {listed}"
            if names
            else "the task has no entry point: its asserts call no function of 'code'"
        )
    (entry,) = names
    gold = dissect(code, entry)
    assert gold is not None  # the entry point is a function of the program
    return Problem(
        code=code,
        asserts=asserts,
        entry=entry,
        gold=gold,
        examples=forms.make_examples(asserts, entry),
        tests=Tests(source=source, style="asserts", helpers=_helpers(code, program, tests, entry)),
    )


def _setup(row: DataRow) -> tuple[str, ...]:
    """The lines that the data set runs before the asserts: imports (sanitized) or code (full)."""
    lines = list(row.texts("test_imports"))
    setup = row.optional_text("test_setup_code")
    if setup and setup.strip():
        lines.append(setup.replace("\r\n", "\n"))
    return tuple(lines)


def _helpers(code: str, program: ast.Module, tests: ast.Module, entry: str) -> str:
    """The parts of the gold program that the asserts use besides the entry point.

    MBPP/596 compares with `sys.getsizeof(...)`; MBPP/927 builds trees of the program's `Node`.
    """
    names = find_used_names([tests]) - find_bindings(tests.body).keys() - {entry}
    wanted = find_needed(program.body, names)
    return "".join(f"{cut_source(code, s)}\n" for s in program.body if s in wanted)
