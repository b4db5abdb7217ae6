"""Formats of training data are told by their keys; what cannot be used is said in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_coderobust.errors import CodeRobustError, DataError, UnknownName
from pytest_coderobust.training.formats import ALPACA_TEMPLATE
from pytest_coderobust.training.source import NO_ANSWER, NO_PROMPT, read_data
from tests.support.training_rows import write_rows

ALPACA = {"instruction": "Add two numbers.", "input": "3 and 4", "output": "return 7"}
COMPLETION = {"prompt": "def f(x):\n", "completion": "    return x\n"}
TURNS = [
    {"role": "system", "content": "Be short."},
    {"role": "user", "content": "Hello there."},
    {"role": "assistant", "content": "Yes."},
    {"role": "user", "content": "Add two numbers."},
    {"role": "assistant", "content": "a + b"},
]
MESSAGES = {"messages": TURNS}
TASK = {
    "task_id": "T/7",
    "prompt": "def f(x):\n",
    "canonical_solution": "    return x\n",
    "entry_point": "f",
}


def read(folder: Path, *rows: object, fmt: str | None = None) -> object:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_data(str(path), fmt=fmt)


@pytest.mark.parametrize(
    ("row", "name", "prompt", "answer"),
    [
        (ALPACA, "alpaca", "Add two numbers.\n\n### Input:\n3 and 4", "return 7"),
        ({**ALPACA, "input": ""}, "alpaca", "Add two numbers.", "return 7"),
        (COMPLETION, "completion", "def f(x):\n", "    return x\n"),
        (MESSAGES, "messages", TURNS[:4], "a + b"),
        ({"messages": TURNS[:4]}, "messages", TURNS[:2], "Yes."),
        ({"prompt": TURNS[:4], "completion": TURNS[4:]}, "completion", TURNS[:4], "a + b"),
        (TASK, "tasks", "def f(x):\n", "    return x\n"),
    ],
)  # fmt: skip
def test_each_format_is_told_by_its_keys(
    tmp_path: Path, row: object, name: str, prompt: object, answer: str
) -> None:
    data = read(tmp_path, row)
    (example,) = data.examples  # type: ignore[attr-defined]
    assert data.format.name == name  # type: ignore[attr-defined]
    assert example.write_prompt(example.texts) == prompt
    assert example.answer == answer


def test_only_instructions_and_what_users_say_may_change(tmp_path: Path) -> None:
    (alpaca,) = read(tmp_path, ALPACA).examples  # type: ignore[attr-defined]
    assert [passage.prose for passage in alpaca.passages] == [True, False]
    (chat,) = read(tmp_path, MESSAGES).examples  # type: ignore[attr-defined]
    assert [passage.prose for passage in chat.passages] == [False, True, False, True]


def test_ids_are_the_rows_own_or_their_numbers(tmp_path: Path) -> None:
    data = read(tmp_path, TASK, {**TASK, "task_id": None}, {**TASK, "task_id": None, "id": 12})
    assert [each.id for each in data.examples] == ["T/7", "2", "12"]  # type: ignore[attr-defined]


def test_an_instruction_is_put_into_the_headings_of_alpaca(tmp_path: Path) -> None:
    assert read(tmp_path, ALPACA).format.template == ALPACA_TEMPLATE  # type: ignore[attr-defined]
    assert read(tmp_path, COMPLETION).format.template == "{prompt}"  # type: ignore[attr-defined]


def test_blank_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    data = read(tmp_path, ALPACA, {**ALPACA, "output": " "}, {**ALPACA, "instruction": "\n"})
    assert len(data.examples) == 1  # type: ignore[attr-defined]
    assert data.left_out == {NO_ANSWER: 1, NO_PROMPT: 1}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{**ALPACA, **COMPLETION}], "rows.jsonl: its rows fit several formats (alpaca and completion); name the one that is meant with --format"),
        ([{"question": "x"}], "rows.jsonl, line 1: the row is of no known format; valid are alpaca (instruction + output), completion (completion + prompt)"),
        ([ALPACA, COMPLETION], "rows.jsonl, line 2: the key 'instruction' is missing, and rows.jsonl, line 1 is of the format alpaca; all rows must be of one format"),
        ([{**ALPACA, "output": ""}], "there is no row to train on (1 row: the answer is blank)"),
        ([TASK, TASK], "rows.jsonl, line 2: the id 'T/7' is already that of rows.jsonl, line 1"),
        ([{**ALPACA, "output": None}], "'output' must be a string, not null"),
        ([{"messages": TURNS[:2]}], "'messages' must hold an answer of the assistant after a prompt"),
        ([{"messages": TURNS[4:]}], "'messages' must hold an answer of the assistant after a prompt"),
        ([{"messages": "hello"}], "'messages' must be a list of messages"),
        ([{"messages": [{"role": "boss", "content": "x"}]}], "message 1 of 'messages' must be an object with a 'role' (system, user, assistant, tool) and a text 'content'"),
        ([{"prompt": TURNS[:4], "completion": TURNS[3:]}], "'completion' must be one message of the assistant"),
        ([{"prompt": TURNS[:4], "completion": "x"}], "'completion' must be a list of messages"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said_in_one_sentence(
    tmp_path: Path, rows: list[object], message: str
) -> None:
    with pytest.raises(CodeRobustError) as error:
        read(tmp_path, *rows)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_named_format_settles_what_the_keys_do_not(tmp_path: Path) -> None:
    both = {**ALPACA, **COMPLETION}
    (example,) = read(tmp_path, both, fmt="completion").examples  # type: ignore[attr-defined]
    assert example.answer == COMPLETION["completion"]
    with pytest.raises(UnknownName, match="did you mean 'alpaca'"):
        read(tmp_path, both, fmt="alpacca")
    with pytest.raises(DataError, match="'messages' must be a list"):
        read(tmp_path, both, fmt="messages")


def test_parquet_and_saved_folders_hold_the_same_rows(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    table = datasets.Dataset.from_list([ALPACA, {**ALPACA, "output": "return 8"}])
    table.to_parquet(str(tmp_path / "rows.parquet"))
    table.save_to_disk(str(tmp_path / "one"))
    datasets.DatasetDict({"test": table, "train": table}).save_to_disk(str(tmp_path / "split"))
    write_rows(tmp_path / "rows.jsonl", [ALPACA, {**ALPACA, "output": "return 8"}])
    wanted = read_data(str(tmp_path / "rows.jsonl")).examples
    for name in ("rows.parquet", "one", "split"):
        assert read_data(str(tmp_path / name)).examples == wanted
    datasets.DatasetDict({"test": table}).save_to_disk(str(tmp_path / "other"))
    with pytest.raises(DataError, match="has the splits test, and none is called train"):
        read_data(str(tmp_path / "other"))
    with pytest.raises(DataError, match="holds no data set that save_to_disk"):
        read_data(str(tmp_path))


def test_the_generator_gives_tasks_and_a_shorter_cut_is_the_beginning_of_a_longer_one() -> None:
    long, short = read_data("tiny:corpus", rows=9), read_data("tiny:corpus", rows=4)
    assert long.examples[:4] == short.examples
    assert long.format.name == "tasks"
    assert long.digest != short.digest
    assert all(each.entry_point in each.texts[0] for each in long.examples)
