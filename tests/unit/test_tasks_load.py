from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from support.tasks_files import ADD, MBPP, one, suite

from pytest_coderobust.errors import DataError, UnknownName
from pytest_coderobust.records import ApiChange, Task, Tests
from pytest_coderobust.tasks.load import fingerprint, load_tasks


def test_an_own_task_is_read_as_it_stands(tmp_path: Path) -> None:
    task = one(tmp_path, {**ADD, "tags": ["maths", "easy"]})
    assert (task.id, task.entry_point, task.tags) == ("Own/1", "add", ("maths", "easy"))
    assert (task.prompt, task.canonical) == (ADD["prompt"], ADD["canonical_solution"])
    assert (task.tests.source, task.tests.style, task.tests.helpers) == (ADD["test"], "check", "")
    assert task.preamble == ""


def test_own_tasks_may_be_toml(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        "[[task]]\ntask_id = 'Own/1'\nentry_point = 'add'\n"
        "prompt = '''\ndef add(a, b):\n    \"\"\"Add two numbers.\"\"\"\n'''\n"
        'canonical_solution = "    return a + b\\n"\n'
        "test = '''\ndef check(candidate):\n    assert candidate(1, 2) == 3\n'''\n"
    )
    assert load_tasks("own.toml", base=tmp_path).digest == suite(tmp_path, ADD).digest


def test_a_task_without_a_canonical_solution_has_none(tmp_path: Path) -> None:
    assert one(tmp_path, {**ADD, "canonical_solution": None}).canonical is None


def test_tests_may_be_plain_asserts(tmp_path: Path) -> None:
    assert one(tmp_path, {**ADD, "test": "assert add(1, 2) == 3"}).tests.style == "asserts"


HELPED = {
    **ADD,
    "prompt": "from typing import List\nK = 2\n\n\ndef twice(x: int) -> int:\n    return K * x\n\n\n"
    "@property\ndef add(a, b):\n    \"\"\"Add; see\ndef add(\n\"\"\"\n",
}  # fmt: skip


def test_the_preamble_is_what_stands_before_the_entry_function(tmp_path: Path) -> None:
    preamble = one(tmp_path, HELPED).preamble
    assert preamble.endswith("return K * x\n\n\n")
    assert preamble == str(HELPED["prompt"]).partition("@property")[0]


def test_the_preamble_of_a_prompt_that_does_not_parse_ends_at_the_def_line(tmp_path: Path) -> None:
    prompt = 'import os\n\ndef add(a, b):\n    """Never closed\n'
    assert one(tmp_path, {**ADD, "prompt": prompt}).preamble == "import os\n\n"


def test_tests_that_call_the_prompts_names_get_them(tmp_path: Path) -> None:
    test = "def check(candidate):\n    assert candidate(1, 1) == twice(1)\n"
    task = one(
        tmp_path,
        {**HELPED, "prompt": str(HELPED["prompt"]).replace("@property\n", ""), "test": test},
    )
    space: dict[str, object] = {}
    exec(task.tests.helpers, space)
    space["add"] = None
    exec(task.tests.source, space)
    space["check"](lambda a, b: a + b)  # type: ignore[operator]
    with pytest.raises(AssertionError):
        space["check"](lambda a, b: a - b)  # type: ignore[operator]


@pytest.mark.parametrize(
    "test",
    [
        ADD["test"],
        "def twice(x): return 4\ndef check(candidate):\n    assert candidate(1, 3) == twice(1)\n",
        "def check(candidate):\n    assert candidate(1, 3) == add(3, 1)\n",
    ],
)
def test_tests_that_need_no_name_of_the_prompt_get_none(tmp_path: Path, test: str) -> None:
    assert one(tmp_path, {**HELPED, "test": test}).tests.helpers == ""


@pytest.mark.parametrize("canonical", [None, ADD["canonical_solution"]])
def test_the_helpers_are_a_program_even_where_the_prompt_is_none(
    tmp_path: Path, canonical: str | None
) -> None:
    prompt = "def twice(x):\n    return 2 * x\n\n\ndef add(a, b):\n"
    test = "def check(candidate):\n    assert candidate(1, 1) == twice(1)\n"
    row = {**ADD, "prompt": prompt, "test": test, "canonical_solution": canonical}
    compile(one(tmp_path, row).tests.helpers, "helpers", "exec")


MISSING = object()
"""The value of a key that is taken out of a row."""

BAD_ROWS = [
    ({"prompt": MISSING}, "the key 'prompt' is missing"),
    ({"prompt": None}, "'prompt' must be a string, not null"),
    ({"promt": ADD["prompt"], "prompt": MISSING}, "did you mean 'promt'"),
    ({"task_id": MISSING}, "the key 'task_id' is missing"),
    ({"task_id": None}, "'task_id' must be a string, not null"),
    ({"test": None}, "the task has no tests: 'test' is empty"),
    ({"test": " \n"}, "the task has no tests: 'test' is empty"),
    ({"test": "x = 1"}, "'test' has neither check(candidate) nor an assert"),
    ({"test": "assert ("}, "'test' is not a valid Python program"),
    ({"entry_point": None}, "the task has no entry point"),
    ({"entry_point": ""}, "the task has no entry point"),
    ({"entry_point": "a.b"}, "the entry point 'a.b' is not a valid name of a function"),
    ({"entry_point": "sub"}, "the entry point 'sub' is not defined by the prompt; it defines 'add'"),
    ({"prompt": "Add!", "canonical_solution": None}, "'add' is not defined by the prompt"),
    ({"task_id": "a::b"}, "the task id 'a::b' cannot be part of a test's name"),
    ({"task_id": "a\nb"}, r"the task id 'a\nb' cannot be part of a test's name"),
    ({"task_id": "a[1]"}, "without '::', '[' and ']'"),
    ({"task_id": " "}, "the task id ' ' cannot be part"),
    ({"task_id": "Own/1"}, "the task id 'Own/1' is already that of own.jsonl, line 1"),
    ({"tags": "no list"}, "'tags' is not a list of strings"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), BAD_ROWS)
def test_a_bad_task_is_one_sentence_with_its_line(
    tmp_path: Path, change: Mapping[str, object], message: str
) -> None:
    whole = {**ADD, "task_id": "Own/2", **change}
    row = {key: value for key, value in whole.items() if value is not MISSING}
    with pytest.raises(DataError) as caught:
        suite(tmp_path, ADD, row)
    assert str(caught.value).startswith("own.jsonl, line 2: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_plain_prompt_may_leave_the_definition_to_the_solution(tmp_path: Path) -> None:
    row = {
        **ADD,
        "prompt": '"""Add two numbers."""\n',
        "canonical_solution": "def add(a, b):\n  pass\n",
    }
    assert one(tmp_path, row).preamble == ""


def test_the_digest_follows_the_content_and_not_the_file(tmp_path: Path) -> None:
    digest = suite(tmp_path, ADD).digest
    assert suite(tmp_path, ADD, name="other.jsonl").digest == digest
    changes = {"prompt": f"import os\n{ADD['prompt']}", "test": f"{ADD['test']}\n", "tags": ["a"]}
    digests = {suite(tmp_path, {**ADD, key: value}).digest for key, value in changes.items()}
    assert len(digests | {digest}) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"id": "x"},
        {"prompt": "x"},
        {"entry_point": "x"},
        {"canonical": None},
        {"preamble": "x"},
        {"language": "java"},
        {"tags": ("x",)},
        {"api_changes": (ApiChange("math.gcd", "math.common"),)},
        {"tests": Tests("x", "check")},
        {"tests": Tests(str(ADD["test"]), "asserts")},
        {"tests": Tests(str(ADD["test"]), "check", "x")},
    ],
)
def test_no_field_of_a_task_is_left_out_of_the_digest(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    task = one(tmp_path, ADD)
    assert {field.name for field in fields(Task)} == {
        "id", "prompt", "entry_point", "tests", "canonical", "preamble", "language", "tags",
        "api_changes",
    }  # fmt: skip
    assert fingerprint([replace(task, **change)]) != fingerprint([task])


def test_hostile_text_is_fingerprinted(tmp_path: Path) -> None:
    row = {**ADD, "task_id": "Own/ü", "prompt": f"{ADD['prompt']}    # \x00\ud800\x1b[31m\n"}
    assert len(suite(tmp_path, row).digest) == 64


def test_an_unknown_format_offers_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="unknown task format 'mbp'; did you mean 'mbpp'"):
        load_tasks("x.jsonl", base=tmp_path, fmt="mbp")


def test_reading_tasks_imports_nothing_heavy(tmp_path: Path) -> None:
    suite(tmp_path, ADD, MBPP)
    code = (
        "import sys; from pathlib import Path; from pytest_coderobust.tasks.load import load_tasks;"
        "from pytest_coderobust.tasks.recordings import load_recorded;"
        f"load_tasks('own.jsonl', base=Path({str(tmp_path)!r}));"
        "heavy = {'torch', 'transformers', 'hypothesis', 'rich', 'datasets', 'numpy', 'pyarrow',"
        " 'scipy', 'pytest', 'urllib.request', 'huggingface_hub'} & sys.modules.keys();"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
