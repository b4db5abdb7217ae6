"""Failures survive the trip through JSON, and bad files are left out with a sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.hunt_failures import failure

from coderobust_strategies import Edit
from pytest_coderobust.errors import DataError
from pytest_coderobust.hunting.failure import ShownPrompt, from_json, to_json
from pytest_coderobust.hunting.store import Failures
from pytest_coderobust.records import Completion
from pytest_coderobust.reporting.bugs.markdown import render
from pytest_coderobust.reporting.bugs.report import make_document, report_failure


def test_a_failure_reads_back_as_it_was_written() -> None:
    text = to_json(failure())
    assert text.isascii()
    assert from_json(text, "here") == failure()


def test_the_document_says_what_each_edit_replaced() -> None:
    edits = json.loads(to_json(failure()))["edits"]
    assert [(edit["original"], edit["replacement"]) for edit in edits] == [
        ("R", "r"),
        ("tw", "wt"),
    ]


def test_the_id_is_about_the_prompt_and_not_about_the_model() -> None:
    other = replace(failure(), model=replace(failure().model, digest="0" * 64), state="fixed")
    assert other.id == failure().id
    assert failure("Toy/1").id != failure().id
    assert replace(failure(), suite="b.toml").id != failure().id


def test_a_folder_gives_back_the_wanted_failures_in_order(tmp_path: Path) -> None:
    store = Failures(tmp_path / "failures")
    for task in ("Toy/2", "Toy/0", "Toy/1"):
        store.write(failure(task))
    store.write(replace(failure(), state="fixed"))
    found = store.read("toy.toml", ["Toy/0", "Toy/2"])
    assert [(each.task_id, each.state) for each in found] == [
        ("Toy/0", "fixed"),
        ("Toy/2", "broken"),
    ]
    assert store.read("other.toml", ["Toy/0"]) == ()
    assert len(list((tmp_path / "failures").iterdir())) == 3


def test_files_that_are_no_records_are_left_out_and_named(tmp_path: Path) -> None:
    store = Failures(tmp_path)
    path = store.write(failure())
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text("[]")
    (tmp_path / "c.json").write_text(json.dumps({"schema": 1}))
    (tmp_path / "d.json").write_text(path.read_text().replace('"schema": 1', '"schema": 9'))
    tampered = to_json(replace(failure("Toy/9"), edits=(Edit(0, 3, "fed", "case"),)))
    (tmp_path / "e.json").write_text(tampered)
    (tmp_path / "f.json").write_bytes(b"\xff")
    assert store.read("toy.toml", ["Toy/0", "Toy/9"]) == (failure(),)
    assert [line.partition(".json: ")[0].rpartition("/")[2] for line in store.trouble[:5]] == [
        *"abcde"
    ]
    assert "schema 9; this version reads schema 1" in store.trouble[3]
    assert "its edits do not turn its clean prompt" in store.trouble[4]
    assert len(store.trouble) == 6


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        Failures(tmp_path / "file" / "failures").write(failure())


def test_thoughts_and_what_was_not_judged_come_back_and_are_reported() -> None:
    plain = failure()
    seen = Completion("x", "length", 12, thought_tokens=7, opened="<think>")
    broken = ShownPrompt(plain.broken.prompt, (seen,), plain.broken.verdicts, {0: "print(1)\n"})
    kept = replace(plain, broken=broken)
    assert from_json(to_json(kept), "here") == kept
    bug = report_failure(kept, {})
    sample: Any = make_document(bug)["broken"]
    assert sample["sample"]["left_out"] == "print(1)\n"
    assert sample["sample"]["opened"] == "<think>"
    told = "Left out of the solution that was judged:\n\n```python\nprint(1)\n```"
    assert told in render(bug)
    assert "Left out" not in render(report_failure(plain, {}))
    assert not {"left_out", "opened"} & set(
        str(make_document(report_failure(plain, {}))).split("'")
    )
