"""Readers of the benchmark folders for the tests of the strategies.

The strategies do not import the task layer of the plugin, so their tests do not either.
"""

from __future__ import annotations

import ast
import csv
import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Item:
    """A clean prompt with the entry point and code whose names are protected in it."""

    id: str
    prompt: str
    entry_point: str
    code: str


def show(*figures: object) -> None:
    """Prints the figures that a check measured, since they are half of its result."""
    print(*figures)  # noqa: T201


def rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        if ".csv" in path.name:
            yield from csv.DictReader(lines)
        else:
            yield from map(json.loads, lines)


def humaneval(data: Path) -> list[Item]:
    return [
        Item(row["task_id"], row["prompt"], row["entry_point"], row["canonical_solution"])
        for row in rows(data / "humaneval" / "HumanEval.jsonl.gz")
    ]


def mbpp(data: Path) -> list[Item]:
    """Reads MBPP sanitized: each task as plain text and as a function with a docstring."""
    items: list[Item] = []
    for row in rows(data / "mbpp" / "mbpp_sanitized.csv.gz"):
        tests: list[str] = ast.literal_eval(row["test_list"])
        name = next(call for call in _functions(row["code"]) if any(call in test for test in tests))
        text, code = row["prompt"], row["code"]
        items.append(Item(f"{row['task_id']}/text", "\n".join((text, *tests)), name, code))
        body = "\n".join(f"    {line}" for line in (text, *map(_doctest, tests)))
        prompt = f'def {name}(values):\n    """\n{body}\n    """\n'
        items.append(Item(f"{row['task_id']}/docstring", prompt, name, code))
    return items


def _functions(code: str) -> list[str]:
    return re.findall(r"^def (\w+)", code, re.MULTILINE)[::-1]


def _doctest(test: str) -> str:
    call, equals, value = test.removeprefix("assert ").partition(" == ")
    return f">>> {call}\n    {value}" if equals else test
