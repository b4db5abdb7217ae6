"""`fetch` against a hub on this machine: whole, cut off, damaged, absent."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from huggingface_hub import constants
from support.fetch_hub import Hub, humaneval_rows, jsonl, mbpp_rows, serving

from pytest_coderobust.errors import DataError, MissingExtra, UnknownName, UsageError
from pytest_coderobust.tasks import catalogue
from pytest_coderobust.tasks.fetch import fetch
from pytest_coderobust.tasks.load import load_tasks

REPOSITORY = "openai/openai_humaneval"
NAME = "openai_humaneval/test-00000-of-00001.jsonl"
CONTENT = jsonl(humaneval_rows())
HALF = len(CONTENT) // 2


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library waits before it asks again, and reads its switches when it is imported."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    # of a chunk that is cut off nothing is kept; ten megabytes are more than these files have
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 64)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.delenv("CODEROBUST_DATA", raising=False)
    with serving(Hub(files={(REPOSITORY, NAME): CONTENT, (REPOSITORY, "README.md"): b"x"})) as hub:
        yield hub


def fetched(hub: Hub, cache: Path, name: str = "humaneval") -> Path:
    return fetch(name, endpoint=hub.endpoint, cache=cache)


def temporaries(cache: Path) -> list[str]:
    return sorted(p.name for p in cache.rglob(".*") if p.is_file() and p.suffix != ".lock")


def test_a_data_set_is_fetched_once_and_read_from_the_cache(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fetched(hub, tmp_path)
    assert path == tmp_path / "humaneval" / "HumanEval.jsonl.gz"
    asked = len(hub.requests)
    assert fetched(hub, tmp_path) == path
    assert len(hub.requests) == asked
    assert temporaries(tmp_path) == []
    monkeypatch.setattr(catalogue, "cache_folder", lambda: tmp_path)
    (tmp_path / "same.jsonl").write_bytes(CONTENT)
    tasks = load_tasks("humaneval", base=tmp_path)
    assert tasks.digest == load_tasks("same.jsonl", base=tmp_path).digest
    assert len(tasks.tasks) == 164


def test_the_same_rows_give_the_same_bytes(hub: Hub, tmp_path: Path) -> None:
    first = fetched(hub, tmp_path / "one").read_bytes()
    assert fetched(hub, tmp_path / "two").read_bytes() == first
    assert first[4:8] == bytes(4)  # no time in gzip's header


@pytest.mark.parametrize("redirects", [False, True])
def test_a_file_cut_off_in_its_middle_is_continued(
    hub: Hub, tmp_path: Path, redirects: bool
) -> None:
    hub.cuts[NAME] = [HALF]
    hub.redirects = redirects
    path = fetched(hub, tmp_path)
    kept = HALF // 64 * 64
    assert hub.downloads() == [(NAME, ""), (NAME, f"bytes={kept}-")]
    assert len(load_tasks(str(path), base=tmp_path).tasks) == 164


def test_a_connection_that_breaks_twice_gets_there(hub: Hub, tmp_path: Path) -> None:
    hub.cuts[NAME] = [100, 100]
    assert len(load_tasks(str(fetched(hub, tmp_path)), base=tmp_path).tasks) == 164


def test_a_download_given_up_is_taken_up_by_the_next_fetch(hub: Hub, tmp_path: Path) -> None:
    half = "openai_humaneval/test-00001-of-00002.jsonl"
    rows = humaneval_rows()
    hub.files = {(REPOSITORY, NAME): jsonl(rows[:82]), (REPOSITORY, half): jsonl(rows[82:])}
    hub.cuts[half] = [0] * 100
    with pytest.raises(DataError, match=f"{half}: cannot be downloaded"):
        fetched(hub, tmp_path)
    assert not (tmp_path / "humaneval" / "HumanEval.jsonl.gz").exists()
    hub.cuts.clear()
    hub.requests.clear()
    fetched(hub, tmp_path)
    assert {path for path, _ in hub.downloads()} == {half}
    assert temporaries(tmp_path) == []


def test_a_file_damaged_on_the_way_is_downloaded_anew(hub: Hub, tmp_path: Path) -> None:
    hub.forged[NAME] = [CONTENT.replace(b"return a + 7", b"return a - 7")]
    path = fetched(hub, tmp_path)
    assert hub.downloads() == [(NAME, ""), (NAME, "")]
    assert load_tasks(str(path), base=tmp_path).tasks[7].canonical == "    return a + 7\n"


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    ("forged", "message"),
    [
        (CONTENT.replace(b"return a + 7", b"return a - 7"), "does not match the hub's checksum"),
        (CONTENT + b"{}\n", r"cannot be downloaded \(.*should be of size \d+ but has size \d+"),
        (CONTENT[:-9], r"cannot be downloaded \(.*should be of size \d+ but has size \d+"),
    ],
    ids=["damaged", "longer", "shorter"],
)
def test_a_file_that_is_never_as_announced_is_refused(
    hub: Hub, tmp_path: Path, plain: bool, forged: bytes, message: str
) -> None:
    hub.plain = {NAME} if plain else set()
    hub.forged[NAME] = [forged] * 9
    with pytest.raises(DataError, match=message):
        fetched(hub, tmp_path)
    assert not (tmp_path / "humaneval" / "HumanEval.jsonl.gz").exists()
    hub.forged.clear()
    fetched(hub, tmp_path)
    assert temporaries(tmp_path) == []


def test_a_damaged_cache_is_refused_by_readers_and_mended_by_fetch(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "cache_folder", lambda: tmp_path)
    path = fetched(hub, tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    with pytest.raises(DataError, match="run `coderobust fetch humaneval` again"):
        load_tasks("humaneval", base=tmp_path)
    fetched(hub, tmp_path)
    assert path.read_bytes() == whole
    assert len(load_tasks("humaneval", base=tmp_path).tasks) == 164


def test_splits_are_joined_in_the_order_of_the_tasks(hub: Hub, tmp_path: Path) -> None:
    rows = mbpp_rows()
    repository = "google-research-datasets/mbpp"
    for i, split in enumerate(("prompt", "test", "train", "validation")):
        hub.files[repository, f"sanitized/{split}.jsonl"] = jsonl(rows[i::4])
    hub.files[repository, "full/test.jsonl"] = jsonl(rows)
    tasks = load_tasks(str(fetched(hub, tmp_path, "mbpp")), base=tmp_path).tasks
    assert [task.id for task in tasks] == [f"MBPP/{i}" for i in range(1, 428)]


def test_fetches_at_the_same_time_download_once(hub: Hub, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: fetched(hub, tmp_path), range(4)))
    assert len(set(paths)) == 1
    assert hub.downloads() == [(NAME, "")]


def test_parquet_without_its_library_is_said_before_anything_is_downloaded(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    hub.files = {(REPOSITORY, "openai_humaneval/test-00000-of-00001.parquet"): b"PAR1"}
    with pytest.raises(MissingExtra) as caught:
        fetched(hub, tmp_path)
    assert str(caught.value) == (
        "fetching 'humaneval' (the hub keeps it as Parquet) needs the optional extra 'hub': "
        "pip install 'pytest-coderobust[hub]'"
    )
    assert hub.downloads() == []


@pytest.mark.skipif(not importlib.util.find_spec("pyarrow"), reason="pyarrow is not installed")
def test_parquet_is_fetched_and_kept_as_jsonl(hub: Hub, tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    rows = mbpp_rows()
    table = tmp_path / "table.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows), table)
    repository = "google-research-datasets/mbpp"
    hub.files[repository, "sanitized/test-00000-of-00001.parquet"] = table.read_bytes()
    hub.cuts["sanitized/test-00000-of-00001.parquet"] = [1000]
    path = fetched(hub, tmp_path / "cache", "mbpp")
    (tmp_path / "same.jsonl").write_bytes(jsonl(rows))
    wanted = load_tasks("same.jsonl", base=tmp_path).digest
    assert load_tasks(str(path), base=tmp_path).digest == wanted
    assert load_tasks("table.parquet", base=tmp_path).digest == wanted


@pytest.mark.parametrize(
    ("listing", "files", "message"),
    [
        (b"<html>", {NAME: CONTENT}, "cannot be downloaded (Expecting value: line 1 column 1"),
        (b"{}", {NAME: CONTENT}, "there is no file 'openai_humaneval/test*' that can be read"),
        (None, {"README.md": b"x"}, "there is no file 'openai_humaneval/test*' that can be read"),
        (None, {}, "cannot be downloaded (HTTP status 404: the repository"),
        (None, {NAME: jsonl(humaneval_rows()[:9])}, "there are 9 rows where 'humaneval' has 164"),
        (None, {NAME: b"not json\n"}, "malformed JSON"),
    ],
)
def test_a_hub_without_the_data_is_one_sentence(
    hub: Hub, tmp_path: Path, listing: bytes | None, files: dict[str, bytes], message: str
) -> None:
    hub.listing = listing
    hub.files = {(REPOSITORY, path): data for path, data in files.items()}
    with pytest.raises(DataError) as caught:
        fetched(hub, tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "HTTP status 401: the repository does not exist there, or it needs a token in HF_"),
        (403, "HTTP status 403: the account of HF_TOKEN may not read it"),
        (404, "HTTP status 404: the repository does not exist there"),
        (503, "HTTP status 503"),
    ],
)
def test_a_hub_that_refuses_is_one_sentence(
    hub: Hub, tmp_path: Path, status: int, message: str
) -> None:
    hub.status = status
    with pytest.raises(DataError) as caught:
        fetched(hub, tmp_path)
    repository = f"{hub.endpoint}/datasets/{REPOSITORY}"
    assert str(caught.value).startswith(f"{repository}: cannot be downloaded ({message}")
    assert "\n" not in str(caught.value)


def test_a_server_that_is_not_a_hub_is_one_sentence(hub: Hub, tmp_path: Path) -> None:
    hub.commit = ""
    with pytest.raises(DataError, match=r"jsonl: cannot be downloaded \(.+\)$") as caught:
        fetched(hub, tmp_path)
    assert "\n" not in str(caught.value)


def test_a_hub_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with serving(Hub()) as hub:
        pass
    with pytest.raises(DataError, match=r"cannot be downloaded \(.*refused.*\)$"):
        fetched(hub, tmp_path)


def test_a_cache_filled_by_the_first_release_stays_valid(hub: Hub, tmp_path: Path) -> None:
    """The names, bytes and checksum file that version 0.1.0 wrote for these rows."""
    folder = tmp_path / "humaneval"
    folder.mkdir()
    kept = folder / "HumanEval.jsonl.gz"
    lines = [json.dumps(row, ensure_ascii=True) + "\n" for row in humaneval_rows()]
    data = gzip.compress("".join(lines).encode("ascii"), mtime=0)
    kept.write_bytes(data)
    checksum = f"{hashlib.sha256(data).hexdigest()}  HumanEval.jsonl.gz\n"
    (folder / "HumanEval.jsonl.gz.sha256").write_text(checksum, encoding="ascii")
    assert fetched(hub, tmp_path) == kept
    assert hub.requests == []
    new = fetched(hub, tmp_path / "new")
    assert new.read_bytes() == data
    assert new.with_name("HumanEval.jsonl.gz.sha256").read_text(encoding="ascii") == checksum


@pytest.mark.parametrize("endpoint", ["file:///etc", "huggingface.example", "https://"])
def test_an_address_that_is_no_web_address_is_refused(tmp_path: Path, endpoint: str) -> None:
    with pytest.raises(UsageError, match="must start with http:// or https://"):
        fetch("humaneval", endpoint=endpoint, cache=tmp_path)


def test_an_unknown_data_set_offers_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        UnknownName, match="unknown data set 'humanevall'; did you mean 'humaneval'"
    ):
        fetch("humanevall", cache=tmp_path)


def environment_of(hub: Hub, cache: Path) -> dict[str, str]:
    changed = {
        "HF_ENDPOINT": f"{hub.endpoint}/",
        "XDG_CACHE_HOME": str(cache),
        "HF_HOME": str(cache / "hf"),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    kept = {k: v for k, v in os.environ.items() if not k.endswith("_OFFLINE")}
    return {**kept, **changed}


FETCH = [sys.executable, "-m", "pytest_coderobust.cli", "fetch", "humaneval"]


def test_the_command_honours_the_endpoint_of_the_environment(hub: Hub, tmp_path: Path) -> None:
    environment = environment_of(hub, tmp_path)

    def run(*command: str) -> str:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert Path(run(*FETCH)).is_relative_to(tmp_path)
    code = (
        "from pathlib import Path; from pytest_coderobust.tasks.load import load_tasks;"
        "print(len(load_tasks('humaneval', base=Path()).tasks))"
    )
    assert run(sys.executable, "-c", code) == "164"


def test_offline_is_one_sentence_until_the_data_set_is_cached(hub: Hub, tmp_path: Path) -> None:
    online = environment_of(hub, tmp_path)
    offline = {**online, "HF_HUB_OFFLINE": "1"}
    refused = subprocess.run(FETCH, env=offline, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "cannot be downloaded (HF_HUB_OFFLINE is set; unset it to fetch)" in refused.stderr
    assert hub.requests == []
    subprocess.run(FETCH, env=online, check=True, capture_output=True)
    subprocess.run(FETCH, env=offline, check=True, capture_output=True)


def test_processes_at_the_same_time_download_once(hub: Hub, tmp_path: Path) -> None:
    environment = environment_of(hub, tmp_path)
    runs = [
        subprocess.Popen(FETCH, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    paths = {run.communicate()[0].strip() for run in runs}
    assert [run.returncode for run in runs] == [0, 0]
    assert len(paths) == 1
    assert hub.downloads() == [(NAME, "")]


def test_an_empty_address_of_the_hub_is_the_public_one() -> None:
    """A job whose HF_ENDPOINT is set to nothing means the default."""
    program = (
        "from pytest_coderobust.tasks.hub_files import DEFAULT_ENDPOINT, open_repository;"
        "assert open_repository('a/b').endpoint == DEFAULT_ENDPOINT"
    )
    path = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "HF_ENDPOINT": "", "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
