from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from support.tasks_files import ADD

from pytest_coderobust.errors import DataError, UnknownName
from pytest_coderobust.tasks import catalogue
from pytest_coderobust.tasks.load import load_tasks


def test_an_unknown_data_set_offers_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="unknown data set 'humanevl'; did you mean 'humaneval'"):
        load_tasks("humanevl", base=tmp_path)


@pytest.mark.parametrize("source", ["x.jsonl", "folder/x", "x.jsonl.gz"])
def test_a_missing_file_is_named(tmp_path: Path, source: str) -> None:
    with pytest.raises(DataError, match="there is no such file of tasks"):
        load_tasks(source, base=tmp_path)


def place(path: Path, task_id: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = json.dumps({**ADD, "task_id": task_id}).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def test_a_path_wins_over_the_data_folder_and_that_over_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, data, base = tmp_path / "cache", tmp_path / "data", tmp_path / "base"
    base.mkdir()
    monkeypatch.setattr(catalogue, "cache_folder", lambda: cache)
    monkeypatch.setenv("CODEROBUST_DATA", str(data))

    def found() -> str:
        return load_tasks("humaneval", base=base).tasks[0].id

    place(cache / "humaneval" / "HumanEval.jsonl.gz", "cache")
    assert found() == "cache"
    place(data / "HumanEval.jsonl", "data")
    assert found() == "data"
    place(data / "humaneval" / "HumanEval.jsonl.gz", "folder")
    assert found() == "folder"
    place(base / "own.jsonl", "path")
    assert load_tasks("own.jsonl", base=base).tasks[0].id == "path"


@pytest.mark.parametrize("data", ["", "/nowhere"])
@pytest.mark.parametrize("name", ["humaneval", "mbpp", "mbpp-full", "humaneval+", "mbpp+"])
def test_missing_data_say_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: str
) -> None:
    monkeypatch.setattr(catalogue, "cache_folder", lambda: tmp_path)
    monkeypatch.setenv("CODEROBUST_DATA", data)
    with pytest.raises(DataError) as caught:
        load_tasks(name, base=tmp_path)
    message = str(caught.value)
    assert f"run `coderobust fetch {name}`, or set CODEROBUST_DATA to a folder that has" in message
    assert "or give the path of a file" in message
    assert str(tmp_path) in message
