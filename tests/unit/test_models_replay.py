"""Recorded completions: how they are joined, and what a bad file says."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from pytest_coderobust.errors import DataError
from pytest_coderobust.models.replay import Replay
from pytest_coderobust.records import Cell, Row, Sampling, Task, Tests, Variant

PROMPT = "def f():\n"
TWO = Sampling(n=2)


def task(name: str = "T/0") -> Task:
    return Task(name, PROMPT, "f", Tests("", "asserts"))


def variant(cell: Cell | None = None, name: str = "T/0", prompt: str = PROMPT) -> Variant:
    return Variant(task(name), cell or Cell(), prompt)


def record(path: Path, *rows: dict[str, Any]) -> Replay:
    file = path / "answers.jsonl"
    file.write_text("".join(json.dumps({"task_id": "T/0", **row}) + "\n" for row in rows))
    return Replay(file)


def answers(model: Replay, asked: Variant, n: int = 1) -> list[str]:
    rows = [Row(asked, sample, 0) for sample in range(n)]
    return [answer.text for answer in model.generate(rows, Sampling(n=n))]


def test_samples_are_counted_in_order_of_appearance(tmp_path: Path) -> None:
    model = record(
        tmp_path,
        {"completion": "a"},
        {"completion": "x", "perturbation": "C1", "seed": 1},
        {"completion": "b", "perturbation": "clean"},
        {"completion": "y", "perturbation": "C1", "seed": 1},
        {"completion": "z", "perturbation": "C1"},
    )
    assert answers(model, variant(), 2) == ["a", "b"]
    assert answers(model, variant(Cell("C1", 1)), 2) == ["x", "y"]
    assert answers(model, variant(Cell("C1", 0))) == ["z"]


def test_a_named_sample_stands_where_it_says(tmp_path: Path) -> None:
    model = record(tmp_path, {"completion": "b", "sample": 1}, {"completion": "a", "sample": 0})
    assert answers(model, variant(), 2) == ["a", "b"]


def test_what_was_not_recorded_is_unavailable(tmp_path: Path) -> None:
    model = record(tmp_path, {"completion": "a"}, {"completion": "x", "perturbation": "C1"})
    assert model.unavailable(variant(), Sampling()) == ""
    assert model.unavailable(variant(), TWO) == "not recorded (1 of 2 samples)"
    for absent in (Cell("C2"), Cell("C1", 1)):
        assert model.unavailable(variant(absent), Sampling()) == "not recorded"
    assert model.unavailable(variant(name="T/1"), Sampling()) == "not recorded"


def test_the_same_prompt_does_not_borrow_an_answer(tmp_path: Path) -> None:
    """A perturbation that changed nothing has the clean prompt, and still its own recording."""
    model = record(tmp_path, {"completion": "a"})
    same_prompt = variant(Cell("C1"), prompt=PROMPT)
    assert model.unavailable(same_prompt, Sampling()) == "not recorded"
    with pytest.raises(KeyError):
        answers(model, same_prompt)


def test_a_solution_is_a_whole_program(tmp_path: Path) -> None:
    program = PROMPT + "    return 1\n"
    rows: list[dict[str, object]] = [
        {"solution": program, "completion": "where both are, EvalPlus takes the program"},
        {"solution": "def f(): return 1", "finish": "length"},
        {"solution": None, "completion": "c"},
    ]
    model = record(tmp_path, *rows)
    found = model.generate([Row(variant(), sample, 0) for sample in range(3)], Sampling(n=3))
    assert [each.text for each in found] == [program, "def f(): return 1", "c"]
    assert [each.whole for each in found] == [True, True, False]
    assert [each.truncated for each in found] == [False, True, False]


def test_evalplus_identifiers_name_tasks(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    rows = [{"_identifier": f"T/0{end}", "solution": "x"} for end in (" (line 3 in a.jsonl)", "_1")]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert answers(Replay(file), variant(), 2) == ["x", "x"]


def test_a_solution_counts_where_the_completion_is_null(tmp_path: Path) -> None:
    model = record(tmp_path, {"completion": None, "solution": "def f(): return 1"})
    assert answers(model, variant()) == ["def f(): return 1"]


def test_the_reason_it_ended_is_kept(tmp_path: Path) -> None:
    model = record(tmp_path, {"completion": "a", "finish": "length"}, {"completion": "b"})
    found = model.generate([Row(variant(), sample, 0) for sample in (0, 1)], TWO)
    assert [answer.truncated for answer in found] == [True, False]
    assert found[1].finish == "recorded"


def test_gzip_and_plain_are_one_recording(tmp_path: Path) -> None:
    plain = record(tmp_path, {"completion": "\ud800\x00"})
    packed = tmp_path / "whatever.name"
    packed.write_bytes(gzip.compress((tmp_path / "answers.jsonl").read_bytes()))
    assert answers(Replay(packed), variant()) == ["\ud800\x00"]
    assert Replay(packed).identity.digest == plain.identity.digest


def test_another_answer_is_another_model(tmp_path: Path) -> None:
    one = record(tmp_path, {"completion": "a"}).identity
    other = record(tmp_path, {"completion": "b"}).identity
    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: not JSON: it ends too early; was the file cut off"),
        (
            '{"task_id": "T", "completion": "    return',
            "line 2: not JSON: it ends inside the value of 'completion'; was the file cut off",
        ),
        ('{"task_id": }', "line 2: not JSON: Expecting value at column 13$"),
        (
            '{"task_id": "T", "completion": null}',
            "line 2: 'completion' must be a string, not null$",
        ),
        (
            '{"task_id": "T", "completion": null, "solution": null}',
            "line 2: 'completion' must be a string, not null$",
        ),
        ("[1]", "line 2: must be an object"),
        ('{"completion": "x"}', "line 2: 'task_id' must be a string, not null"),
        ('{"task_id": "T"}', "line 2: has neither 'completion' nor 'solution'"),
        ('{"task_id": "T", "completion": 7}', "line 2: 'completion' must be a string, not 7"),
        (
            '{"task_id": "T", "completion": "", "sample": -1}',
            "line 2: 'sample' must be a number from 0, not -1",
        ),
        (
            '{"task_id": "T", "completion": "", "perturbation": "C1", "seed": true}',
            "line 2: 'seed' must be a number from 0, not true",
        ),
        (
            '{"task_id": "T/0", "completion": "", "sample": 0}',
            r"line 2: sample 0 of T/0\[clean\] is in line 1 already",
        ),
        ("[" * 100_000, "line 2: not JSON"),
        (b"\xff\xfe".decode("latin-1"), "line 2: not JSON"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_bytes(b'{"task_id": "T/0", "completion": ""}\n' + line.encode("latin-1") + b"\n")
    with pytest.raises(DataError, match=f"bad.jsonl, {message}"):
        Replay(file).identity  # noqa: B018


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file to replay"),
        (b"\n\n", "no recorded completion in it"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "the file is a Git LFS"),
        (gzip.compress(b'{"task_id": "T/0", "completion": ""}\n', mtime=0)[:-12], "cannot be read"),
        (b"\x1f\x8bnonsense", "cannot be read"),
    ],
)
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "bad.jsonl"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError, match=f"bad.jsonl: {message}"):
        Replay(file).identity  # noqa: B018
