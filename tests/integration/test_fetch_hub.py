"""`fetch` against a hub on this machine: whole, cut off, damaged, absent."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.fetch_hub import Hub, humaneval_rows, jsonl, mbpp_rows, serving

from pytest_coderobust.errors import DataError, MissingExtra, UnknownName, UsageError
from pytest_coderobust.tasks import catalogue, download
from pytest_coderobust.tasks.fetch import fetch
from pytest_coderobust.tasks.load import load_tasks

REPOSITORY = "openai/openai_humaneval"
NAME = "openai_humaneval/test-00000-of-00001.jsonl"
CONTENT = jsonl(humaneval_rows())
HALF = len(CONTENT) // 2


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(download, "_PAUSE_SECONDS", 0.0)
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
    seen: list[tuple[str, int, int]] = []
    path = fetch(
        "humaneval",
        endpoint=hub.endpoint,
        cache=tmp_path,
        progress=lambda *args: seen.append(args),
    )
    served = [
        r for r in hub.requests if r[0].startswith("/elsewhere" if redirects else "/datasets")
    ]
    assert [range_ for _, range_ in served] == ["", f"bytes={HALF}-"]
    assert len(load_tasks(str(path), base=tmp_path).tasks) == 164
    counts = [count for _, count, _ in seen]
    assert counts == sorted(counts)
    assert seen[-1] == (NAME, len(CONTENT), len(CONTENT))


def test_a_server_that_cannot_continue_is_asked_from_the_start(hub: Hub, tmp_path: Path) -> None:
    hub.cuts[NAME] = [HALF]
    hub.ranges = False
    seen: list[tuple[str, int, int]] = []
    fetch(
        "humaneval",
        endpoint=hub.endpoint,
        cache=tmp_path,
        progress=lambda *args: seen.append(args),
    )
    assert hub.downloads() == [(NAME, ""), (NAME, f"bytes={HALF}-")]
    assert seen[-1] == (NAME, len(CONTENT), len(CONTENT))


def test_a_connection_that_breaks_often_gets_there(hub: Hub, tmp_path: Path) -> None:
    hub.cuts[NAME] = [100] * (2 * download.ATTEMPTS)
    assert len(load_tasks(str(fetched(hub, tmp_path)), base=tmp_path).tasks) == 164


def test_a_download_given_up_is_continued_by_the_next_fetch(hub: Hub, tmp_path: Path) -> None:
    hub.cuts[NAME] = [HALF] + [0] * download.ATTEMPTS
    with pytest.raises(DataError, match=r"the connection was cut off.*continues where this one"):
        fetched(hub, tmp_path)
    assert not (tmp_path / "humaneval" / "HumanEval.jsonl.gz").exists()
    hub.cuts.clear()
    hub.requests.clear()
    fetched(hub, tmp_path)
    assert hub.downloads() == [(NAME, f"bytes={HALF}-")]
    assert temporaries(tmp_path) == []


def test_a_file_damaged_on_the_way_is_downloaded_anew(hub: Hub, tmp_path: Path) -> None:
    hub.forged[NAME] = [CONTENT.replace(b"return a + 7", b"return a - 7")]
    path = fetched(hub, tmp_path)
    assert hub.downloads() == [(NAME, ""), (NAME, "")]
    assert load_tasks(str(path), base=tmp_path).tasks[7].canonical == "    return a + 7\n"


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    "forged", [CONTENT.replace(b"return a + 7", b"return a - 7"), CONTENT + b"{}\n"]
)
def test_a_file_that_never_matches_its_checksum_is_refused(
    hub: Hub, tmp_path: Path, plain: bool, forged: bytes
) -> None:
    hub.plain = {NAME} if plain else set()
    hub.forged[NAME] = [forged, forged]
    with pytest.raises(DataError, match="does not match the hub's checksum"):
        fetched(hub, tmp_path)
    assert not (tmp_path / "humaneval" / "HumanEval.jsonl.gz").exists()
    assert temporaries(tmp_path) == []
    fetched(hub, tmp_path)


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
        (b"<html>", {NAME: CONTENT}, "the answer is no list of files"),
        (b"{}", {NAME: CONTENT}, "the answer is no list of files"),
        (None, {"README.md": b"x"}, "there is no file 'openai_humaneval/test*' that can be read"),
        (None, {}, "cannot be downloaded (HTTP status 404)"),
        (None, {NAME: jsonl(humaneval_rows()[:9])}, "has 9 rows where 'humaneval' has 164"),
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


def test_a_hub_that_is_not_there_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_PAUSE_SECONDS", 0.0)
    with serving(Hub()) as hub:
        pass
    with pytest.raises(DataError, match=r"cannot be downloaded \(.*refused\)$"):
        fetched(hub, tmp_path)


@pytest.mark.parametrize("endpoint", ["file:///etc", "huggingface.example", "https://"])
def test_an_address_that_is_no_web_address_is_refused(tmp_path: Path, endpoint: str) -> None:
    with pytest.raises(UsageError, match="must start with http:// or https://"):
        fetch("humaneval", endpoint=endpoint, cache=tmp_path)


def test_an_unknown_data_set_offers_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        UnknownName, match="unknown data set 'humanevall'; did you mean 'humaneval'"
    ):
        fetch("humanevall", cache=tmp_path)


def test_the_command_honours_the_endpoint_of_the_environment(hub: Hub, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "HF_ENDPOINT": f"{hub.endpoint}/",
        "XDG_CACHE_HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }

    def python(*arguments: str) -> str:
        run = subprocess.run(
            [sys.executable, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return run.stdout.strip()

    path = Path(python("-m", "pytest_coderobust.cli", "fetch", "humaneval"))
    assert path.is_relative_to(tmp_path)
    code = (
        "from pathlib import Path; from pytest_coderobust.tasks.load import load_tasks;"
        "print(len(load_tasks('humaneval', base=Path()).tasks))"
    )
    assert python("-c", code) == "164"
