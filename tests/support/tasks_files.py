"""Files of tasks for the tests that read them: one of our own shape, one of MBPP's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pytest_coderobust.records import Task
from pytest_coderobust.tasks.load import TaskSet, load_tasks

ADD = {
    "task_id": "Own/1",
    "prompt": 'def add(a, b):\n    """Add two numbers."""\n',
    "entry_point": "add",
    "canonical_solution": "    return a + b\n",
    "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
}
MBPP = {
    "task_id": 9,
    "prompt": "Write a function to add.",
    "code": "import math\ndef add(a,b):\n  return math.fsum([a, b])",
    "test_imports": ["import math"],
    "test_list": ["assert add(1,2)==3", "assert math.isclose(add(1, 2), 3)"],
}


def suite(folder: Path, *rows: Mapping[str, object], name: str = "own.jsonl") -> TaskSet:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return load_tasks(name, base=folder)


def one(folder: Path, row: Mapping[str, object]) -> Task:
    return suite(folder, row).tasks[0]
