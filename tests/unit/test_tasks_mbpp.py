from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.tasks_files import MBPP, one, suite

from pytest_coderobust.errors import DataError
from pytest_coderobust.tasks.load import load_tasks


def test_an_mbpp_row_becomes_a_function_to_complete(tmp_path: Path) -> None:
    task = one(tmp_path, MBPP)
    assert (task.id, task.entry_point) == ("MBPP/9", "add")
    assert task.prompt == (
        'import math\n\n\ndef add(a,b):\n    """Write a function to add.\n    >>> add(1,2)\n'
        '    3\n    assert math.isclose(add(1, 2), 3)\n    """\n'
    )
    assert task.canonical == "    return math.fsum([a, b])\n"
    assert task.preamble == "import math\n\n\n"
    assert task.tests.source == (
        "import math\nassert add(1,2)==3\nassert math.isclose(add(1, 2), 3)\n"
    )
    assert (task.tests.style, task.tests.helpers) == ("asserts", "")


def test_the_plain_form_is_a_description_and_asserts(tmp_path: Path) -> None:
    suite(tmp_path, MBPP)
    task = load_tasks("own.jsonl", base=tmp_path, form="plain").tasks[0]
    assert task.prompt == (
        '"""Write a function to add.\nassert add(1,2)==3\nassert math.isclose(add(1, 2), 3)\n"""\n'
    )
    assert task.canonical == f"{MBPP['code']}\n"
    assert task.preamble == ""


def test_asserts_may_need_an_import_of_the_gold_program(tmp_path: Path) -> None:
    row = {
        **MBPP,
        "code": "import os, sys\nfrom math import *\ndef size(a):\n  return sys.getsizeof(a)",
        "test_imports": [],
        "test_list": ["assert size(1) == sys.getsizeof(1)"],
    }
    assert one(tmp_path, row).tests.helpers == "import os, sys\n"


def test_asserts_may_need_a_class_of_the_gold_program(tmp_path: Path) -> None:
    row = {
        **MBPP,
        "code": "BASE = 2\nclass Node:\n  def __init__(self, value): self.value = value + BASE\n"
        "def helper(): pass\ndef height(node):\n  return node.value\nUNUSED = 1",
        "test_imports": [],
        "test_setup_code": "root = Node(1)",
        "test_list": ["assert (height(root)) == 3"],
    }
    task = one(tmp_path, row)
    assert task.tests.helpers == (
        "BASE = 2\nclass Node:\n  def __init__(self, value): self.value = value + BASE\n"
    )
    space: dict[str, object] = {}
    exec(task.tests.helpers, space)
    space["height"] = lambda node: node.value
    exec(task.tests.source, space)


def mbpp_csv() -> str:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, MBPP.keys())
    writer.writeheader()
    writer.writerow(MBPP)
    return stream.getvalue()


def test_every_release_of_mbpp_gives_the_same_task(tmp_path: Path) -> None:
    full = {k: v for k, v in MBPP.items() if k not in ("prompt", "test_imports")}
    full |= {
        "text": MBPP["prompt"],
        "code": str(MBPP["code"]).replace("\n", "\r\n"),
        "test_setup_code": "import math\r\n",
        "challenge_test_list": [],
    }
    (tmp_path / "sanitized.csv").write_text(mbpp_csv(), newline="")
    (tmp_path / "sanitized.json").write_text(json.dumps([MBPP], indent=1))
    digests = {
        load_tasks(name, base=tmp_path).digest for name in ("sanitized.csv", "sanitized.json")
    }
    assert digests == {suite(tmp_path, MBPP).digest}
    task = one(tmp_path, full)
    assert (
        task.tests.source
        == "import math\n\nassert add(1,2)==3\nassert math.isclose(add(1, 2), 3)\n"
    )
    assert task.prompt == one(tmp_path, MBPP).prompt
    suite(tmp_path, full)
    plain = load_tasks("own.jsonl", base=tmp_path, form="plain").tasks[0]
    assert plain.canonical == f"{MBPP['code']}\n"


def test_tests_that_come_beside_mbpps_asserts_replace_them(tmp_path: Path) -> None:
    task = one(tmp_path, {**MBPP, "test": "for a in range(9):\n    assert add(a, 1) == a + 1\n"})
    assert task.tests.source == "import math\nfor a in range(9):\n    assert add(a, 1) == a + 1\n\n"
    assert ">>> add(1,2)" in task.prompt


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test_list": []}, "the task has no tests: 'test_list' is empty"),
        (
            {"test_list": ["assert sub(1)"]},
            "the task has no entry point: its asserts call no function of 'code'",
        ),
        ({"test_list": ["assert ("]}, "'test_list' is not a valid Python program"),
        ({"code": "def add(:"}, "'code' is not a valid Python program"),
        (
            {"code": "def a(): pass\ndef b(): pass", "test_list": ["assert a() == b()"]},
            "the task's asserts call several functions: a, b",
        ),
        ({"prompt": None}, "the key 'text' is missing"),
    ],
)
def test_a_bad_row_of_mbpp_is_one_sentence(
    tmp_path: Path, change: Mapping[str, object], message: str
) -> None:
    with pytest.raises(DataError) as caught:
        suite(tmp_path, {**MBPP, **change})
    assert f"own.jsonl, line 1: {message}" in str(caught.value)
