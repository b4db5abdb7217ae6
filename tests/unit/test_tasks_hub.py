from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from pytest_coderobust.errors import DataError, MissingExtra, UsageError
from pytest_coderobust.tasks.load import TaskSet, load_tasks
from pytest_coderobust.tasks.rows import read_rows

ROW = {
    "task_id": "Own/1",
    "prompt": 'def add(a, b):\n    """Add two numbers."""\n',
    "entry_point": "add",
    "canonical_solution": "    return a + b\n",
    "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
}

needs_datasets = pytest.mark.skipif(
    not importlib.util.find_spec("datasets"), reason="the extra 'hub' is not installed"
)
needs_parquet = pytest.mark.skipif(
    not importlib.util.find_spec("pyarrow"), reason="the extra 'hub' is not installed"
)


def test_the_hub_without_its_library_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtra) as caught:
        load_tasks("hub:openai/openai_humaneval", base=tmp_path)
    assert str(caught.value) == (
        "the task source 'hub:openai/openai_humaneval' needs the optional extra 'hub': "
        "pip install 'pytest-coderobust[hub]'"
    )


@pytest.mark.parametrize("source", ["hub:", "hub:name", "hub:a/b/c/d", "hub:../x", "hub:a/b/"])
def test_a_hub_source_of_another_form_is_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_tasks(source, base=tmp_path)
    assert str(caught.value) == (
        f"{source!r} is not of the form 'hub:ORG/NAME' or 'hub:ORG/NAME/split'"
    )


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set repository that the library finds as it would find one on the hub."""
    folder = tmp_path / "org" / "name" / "data"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    return folder


def write(folder: Path, split: str, *ids: str) -> None:
    rows = [json.dumps({**ROW, "task_id": task_id}) for task_id in ids]
    (folder / f"{split}.jsonl").write_text("\n".join(rows))


def load(source: str) -> TaskSet:
    return load_tasks(source, base=Path())


@needs_datasets
def test_the_only_split_is_read(repository: Path) -> None:
    write(repository, "train", "Own/1", "Own/2")
    tasks = load("hub:org/name")
    assert [task.id for task in tasks.tasks] == ["Own/1", "Own/2"]
    assert tasks.name == "hub:org/name"
    write(repository, "own", "Own/1", "Own/2")
    assert tasks.digest == load_tasks("own.jsonl", base=repository).digest


@needs_datasets
def test_the_test_split_is_preferred_and_others_can_be_named(repository: Path) -> None:
    write(repository, "train", "Own/1")
    write(repository, "test", "Own/2", "Own/2")
    assert load("hub:org/name/train").tasks[0].id == "Own/1"
    with pytest.raises(DataError, match=r"hub:org/name, row 2: the task id 'Own/2' is already"):
        load("hub:org/name")
    with pytest.raises(DataError, match=r"has no split 'trian'; did you mean 'train'"):
        load("hub:org/name/trian")


@needs_datasets
def test_a_data_set_that_is_not_there_is_one_sentence(repository: Path) -> None:
    with pytest.raises(DataError, match="hub:no/such: the data set cannot be loaded") as caught:
        load("hub:no/such")
    assert "\n" not in str(caught.value)


def test_parquet_without_its_library_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtra, match="reading the Parquet file"):
        read_rows(tmp_path / "a.parquet")


@needs_parquet
@pytest.mark.parametrize("data", [b"", b"PAR1", b"no Parquet at all"])
def test_a_file_that_is_no_parquet_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(data)
    with pytest.raises(DataError, match="the file is not valid Parquet") as caught:
        read_rows(tmp_path / "a.parquet")
    assert "\n" not in str(caught.value)
