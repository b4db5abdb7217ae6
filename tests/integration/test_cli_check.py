"""`coderobust check` and the Python API below it: samples of any tool, judged without pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from conftest import TASKS

import pytest_coderobust
from pytest_coderobust import Check, ForeignSample, Level, Tests, check
from pytest_coderobust.cli import main
from pytest_coderobust.errors import UsageError

Rows = Sequence[Mapping[str, object]]
HALF = "    return 6 if value == 3 else None\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path / "tasks.jsonl", TASKS[:3])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, rows: Rows) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def sample(task: int, completion: object) -> dict[str, object]:
    return {"task_id": f"Toy/{task}", "completion": completion}


def good(task: int) -> dict[str, object]:
    return sample(task, TASKS[task]["canonical_solution"])


def judge(rows: Rows, *arguments: str) -> int:
    write(Path("samples.jsonl"), rows)
    return main(["check", "samples.jsonl", "--suite", "tasks.jsonl", "--workers", "1", *arguments])


def test_prints_pass_at_k_and_levels_and_writes_results(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        good(0), sample(0, HALF), good(1), sample(1, "    return ("), good(2), sample(2, "pass")
    ]  # fmt: skip
    assert judge(rows, "--results", "out.jsonl", "--k", "1,2") == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == [
        "task", "samples", "full", "partial", "load", "compile", "none", "tests",
    ]  # fmt: skip
    assert printed[1].split() == ["Toy/0", "2", "1", "1", "67%"]
    assert printed[4].split() == ["all", "6", "3", "1", "1", "1"]
    assert printed[6].startswith("suite tasks.jsonl: 3 tasks, 6 samples, sandbox ")
    assert [line.split()[:2] for line in printed[7:]] == [
        ["pass@1", "0.5000"],
        ["pass@2", "1.0000"],
    ]
    found = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert [row["passed"] for row in found] == [True, False, True, False, True, False]
    assert found[1]["task_id"] == "Toy/0"
    assert (found[1]["level"], found[1]["tests_passed"], found[1]["tests"]) == ("partial", 1, 3)
    assert found[3]["failure"] == "syntax"
    assert found[3]["where"] == "samples.jsonl, line 4"


def test_whole_programs_of_evalplus_are_judged_as_they_are(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = "def {}(value):\n    return {}\n"
    rows = [
        {"task_id": "Toy/0", "solution": program.format("double", "2 * value")},
        {
            "_identifier": "Toy/1 (line 2 in x.jsonl)",
            "solution": program.format("negate", "-value"),
        },
        {"_identifier": "Toy/2_0", "solution": program.format("square", "1 // 0")},
    ]
    assert judge(rows) == 0
    printed = capsys.readouterr().out
    assert "pass@1    0.6667" in printed
    assert "pass@10" not in printed


def test_extraction_is_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chat = "Here you are:\n```python\ndef double(value):\n    return value * 2\n```\nEnjoy!\n"
    assert judge([sample(0, chat)]) == 0
    assert "pass@1    0.0000" in capsys.readouterr().out
    assert judge([sample(0, chat)], "--extraction", "code") == 0
    assert "pass@1    1.0000" in capsys.readouterr().out


def test_tasks_without_a_sample_are_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge([good(1)]) == 0
    printed = capsys.readouterr().out
    assert (
        "2 of the suite's 3 tasks have no sample and count nowhere; the first is Toy/0" in printed
    )
    assert "1 tasks, 1 samples" in printed


def test_bad_rows_are_all_named_by_line_and_nothing_is_judged(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [good(0), sample(9, "x"), {"task_id": "Toy/1"}, sample(2, 5), {"completion": "x"}]
    assert judge(rows) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert lines[0] == "coderobust: samples.jsonl: 4 bad rows; nothing was judged"
    assert lines[1].startswith("samples.jsonl, line 2: the suite has no task 'Toy/9'; did you mean")
    assert lines[2:4] == [
        "samples.jsonl, line 3: there is neither 'completion' nor 'solution'",
        "samples.jsonl, line 4: 'completion' must be a string, not int 5",
    ]
    assert lines[4].startswith("samples.jsonl, line 5: the key 'task_id' is missing")
    empty = {"task_id": "Toy/1", "completion": None}
    assert judge([good(0), empty, {**empty, "solution": None}]) == 2
    assert capsys.readouterr().err.splitlines()[1:] == [
        "samples.jsonl, line 2: 'completion' must be a string, not null",
        "samples.jsonl, line 3: 'completion' must be a string, not null",
    ]
    (folder / "samples.jsonl").write_text(f"{json.dumps(good(0))}\n{{torn\n")
    assert main(["check", "samples.jsonl", "--suite", "tasks.jsonl"]) == 2
    assert "samples.jsonl, line 2: malformed JSON" in capsys.readouterr().err
    assert main(["check", "none.jsonl", "--suite", "tasks.jsonl"]) == 2
    assert "there is no such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--k", "2"), "pass@2 needs 2 samples of every task, and Toy/0 has 1"),
        (("--k", "0"), "--k takes whole numbers from 1"),
        (("--k", "one"), "--k takes whole numbers from 1"),
        (("--suite", "humanevl"), "did you mean 'humaneval'?"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_judged(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    assert judge([good(0)], *arguments) == 4
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_a_suites_limits_count(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "own.toml").write_text(
        '[suite]\ntasks = "tasks.jsonl"\nlimit = 1\n[sandbox]\ncpu_seconds = 0.3\n'
    )
    hang = "    while True: pass\n"
    assert judge([sample(0, hang)], "--suite", "own.toml", "--results", "out.jsonl") == 0
    (found,) = (json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines())
    assert found["failure"] == "timeout"
    assert found["cpu_seconds"] < 1
    assert judge([good(1)], "--suite", "own.toml") == 2


def test_a_suites_api_changes_are_enforced(folder: Path) -> None:
    (folder / "own.toml").write_text(
        '[suite]\ntasks = "tasks.jsonl"\n'
        'api_changes = [{ old = "math.prod", new = "math.product" }]\n'
    )
    body = "    import math\n    return math.{}([value, 2])\n"
    rows = [sample(0, body.format(name)) for name in ("prod", "product")]
    assert judge(rows, "--suite", "own.toml", "--results", "out.jsonl") == 0
    old, new = (json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines())
    assert not old["passed"]
    assert "prod" in old["detail"]
    assert new["passed"]
    assert new["api_uses"] == [{"old": 0, "new": 3}]


def test_tests_that_cannot_be_split_are_judged_in_process(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = {
        "task_id": "Toy/9", "entry_point": "pair", "canonical_solution": "    return Pair(a, b)\n",
        "prompt": "class Pair:\n    def __init__(self, a, b):\n        self.a, self.b = a, b\n\n"
        "def pair(a, b):\n",
        "test": "def check(pair):\n    assert isinstance(pair(1, 2), Pair)\n"
        "    assert pair(1, 2).b == 2\n",
    }  # fmt: skip
    write(folder / "tasks.jsonl", [task, *TASKS[:1]])
    rows = [
        {"task_id": "Toy/9", "completion": "    return Pair(a, b)\n"},
        {"task_id": "Toy/9", "completion": "    return Pair(b, a)\n"},
        good(0),
    ]
    assert judge(rows, "--results", "out.jsonl") == 0
    found = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert [row["passed"] for row in found] == [True, False, True]
    assert [row["tests_passed"] for row in found] == [2, 1, 3]
    assert [row["in_process"] for row in found] == [True, True, False]
    assert "judged in-process" in capsys.readouterr().out
    (verdict,) = check([ForeignSample("Toy/9", "    return Pair(a, b)\n")], "tasks.jsonl")
    assert verdict.full
    assert verdict.in_process


def test_the_api_judges_checks_and_samples_in_order(folder: Path) -> None:
    tests = Tests("assert f(2) == 4\nassert f(3) == 9\n", "asserts")
    verdicts = check(
        [
            Check("def f(x):\n    return x * x\n", "f", tests),
            ForeignSample("Toy/1", "    return value\n"),
            Check("def f(x):\n    return 4\n", "f", tests),
            ForeignSample("Toy/1", str(TASKS[1]["canonical_solution"])),
        ],
        "tasks.jsonl",
        workers=1,
    )
    assert [verdict.level for verdict in verdicts] == [
        Level.FULL, Level.LOAD, Level.PARTIAL, Level.FULL,
    ]  # fmt: skip
    with pytest.raises(UsageError, match="solution 0 is a ForeignSample: name the suite"):
        check([ForeignSample("Toy/1", "")])
    with pytest.raises(UsageError, match="no task 'Toy/11'; did you mean 'Toy/1'"):
        check([ForeignSample("Toy/11", "")], "tasks.jsonl")


def test_the_api_knows_no_pytest() -> None:
    program = (
        "import sys\nfrom pytest_coderobust import Check, Tests, check\n"
        "assert 'pytest_coderobust.engine' in sys.modules\n"
        "v, = check([Check('def f(): return 1', 'f', Tests('assert f() == 1', 'asserts'))], workers=1)\n"
        "print(v.full, {'pytest', 'torch'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.stdout == "True set()\n"


def test_every_exported_name_is_there() -> None:
    assert pytest_coderobust.__all__ == sorted(pytest_coderobust.__all__)
    for name in pytest_coderobust.__all__:
        assert getattr(pytest_coderobust, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing"):
        _ = pytest_coderobust.nothing


@pytest.mark.parametrize("workers", ["0", "-3"])
def test_fewer_than_one_worker_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], workers: str
) -> None:
    assert judge([good(0)], "--workers", workers) == 4
    told = capsys.readouterr().err
    assert told == f"coderobust: sandbox workers {workers} must be at least 1\n"


def test_thoughts_that_never_end_have_a_count(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = ("--results", str(folder / "results.jsonl"))
    assert judge([good(0), sample(0, "<think>hm")], "--extraction", "code", *results) == 0
    note = "unfinished thought: 1 of 2 samples never come to an answer\n"
    assert note in capsys.readouterr().out
    rows = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    told = [(row["passed"], row["failure"], row["detail"]) for row in rows]
    assert told == [(True, "", ""), (False, "unfinished-thought", "the thought never ends")]
