"""APPS's rows: a question, a program's inputs and expected outputs (Hendrycks et al. 2021).

The prompt is a module docstring of the question, which a whole program continues; APPS's own
"QUESTION: ... ANSWER:" is not Python, and no perturbation could tell its code from its prose.
Tasks that call a function (`fn_name`) and tasks without tests are left out.
"""

from __future__ import annotations

import json
from typing import Any, cast

from pytest_coderobust.records import PromptForm, Task, Tests
from pytest_coderobust.tasks.form import write_plain_prompt
from pytest_coderobust.tasks.program import parse
from pytest_coderobust.tasks.rows import DataRow

IDS = ("task_id", "problem_id", "id")
ASK = "Read from standard input, and print the answer to standard output."


def read_apps(row: DataRow, _form: PromptForm) -> Task:
    """Reads the task of one row.

    Raises:
        DataError: a key is missing, or its inputs and outputs cannot be used.
    """
    question, starter = row.text("question"), row.optional_text("starter_code") or ""
    prompt = write_plain_prompt(f"{question.strip()}\n\n{ASK}", ())
    if starter.strip():
        prompt += starter.rstrip("\n") + "\n"
    number = row.identifier(next((key for key in IDS if key in row), IDS[0]))
    return Task(
        id=number if "/" in number else f"APPS/{number}",
        prompt=prompt,
        entry_point="",
        tests=Tests(_cases(row), "stdio"),
        canonical=_solution(row),
        tags=(row.text("difficulty"),) if "difficulty" in row else (),
    )


def read_program(row: DataRow, _form: PromptForm) -> Task:
    """Reads a task of one row that has a prompt of its own and, for tests, inputs and outputs.

    Raises:
        DataError: a key is missing, or its inputs and outputs cannot be used.
    """
    return Task(
        id=row.identifier("task_id"),
        prompt=row.text("prompt"),
        entry_point="",
        tests=Tests(_cases(row), "stdio"),
        canonical=row.optional_text("canonical_solution"),
        tags=row.texts("tags"),
    )


def explain_left_out(row: DataRow) -> str:
    """Says why a row is not a task here, or ""."""
    found = _input_output(row)
    if not found or not found.get("inputs"):
        return "no tests"
    return "calls of a function (fn_name)" if "fn_name" in found else ""


def _input_output(row: DataRow) -> dict[str, Any]:
    """The inputs and outputs, which the release writes as JSON in a string."""
    value = row.values.get("input_output")
    if isinstance(value, str):
        if not value.strip():
            return {}
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise row.error(f"'input_output' is not valid JSON: {error}") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise row.error("'input_output' must be an object with 'inputs' and 'outputs'")
    return cast("dict[str, Any]", value)


def _cases(row: DataRow) -> str:
    found = _input_output(row)
    inputs, outputs = (_texts(row, found, key) for key in ("inputs", "outputs"))
    if len(inputs) != len(outputs):
        raise row.error(f"there are {len(inputs)} inputs and {len(outputs)} outputs")
    return json.dumps({"inputs": inputs, "outputs": outputs})


def _texts(row: DataRow, found: dict[str, Any], key: str) -> list[str]:
    """Each input or output as one text; some rows of the release list its lines."""
    value = found.get(key)
    if not isinstance(value, list):
        raise row.error(f"{key!r} in 'input_output' must be a list of texts")
    texts: list[str] = []
    for item in cast("list[object]", value):
        lines = cast("list[object]", item) if isinstance(item, list) else [item]
        if not all(isinstance(line, str) for line in lines):
            raise row.error(f"{key!r} in 'input_output' must hold texts, or lists of lines")
        texts.append("\n".join(map(str, lines)))
    return texts


def _solution(row: DataRow) -> str | None:
    """The first recorded solution that is a program of Python 3."""
    value = row.values.get("solutions")
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise row.error(f"'solutions' is not valid JSON: {error}") from None
    if not isinstance(value, list):
        return None
    for item in cast("list[object]", value):
        if isinstance(item, str) and item.strip() and parse(item) is not None:
            return item if item.endswith("\n") else item + "\n"
    return None
