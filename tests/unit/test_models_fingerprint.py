"""A model's digest: it changes with whatever changes an answer, and with nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from support.models_checkpoints import backend, save_random

from pytest_coderobust.models import fingerprint
from pytest_coderobust.models.checkpoint import Checkpoint, stored_dtype
from pytest_coderobust.models.fingerprint import file_digest
from pytest_coderobust.models.hf import HFBackend

ABC = hashlib.sha256(b"abc").hexdigest()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random(tmp_path_factory.mktemp("original"))


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "copy")


def digest_of(folder: Path, **options: Any) -> str:
    return str(backend(folder, device="cpu", **options).identity.digest)


def edit_json(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_the_place_does_not_matter(original: Path, copy: Path) -> None:
    assert digest_of(copy) == digest_of(original)


def test_one_bit_of_one_weight_matters(original: Path, copy: Path) -> None:
    weights = copy / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert digest_of(copy) != digest_of(original)


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("config.json", {"rope_theta": 5.0}),
        ("generation_config.json", {"eos_token_id": 7}),
        ("tokenizer_config.json", {"chat_template": "{{ messages }}"}),
    ],
)
def test_configuration_matters(original: Path, copy: Path, file: str, values: Any) -> None:
    edit_json(copy / file, **values)
    assert digest_of(copy) != digest_of(original)


def test_history_does_not_matter(original: Path, copy: Path) -> None:
    edit_json(copy / "config.json", _name_or_path="/elsewhere", transformers_version="0")
    (copy / "README.md").write_text("hello")
    assert digest_of(copy) == digest_of(original)


def test_how_it_is_asked_matters(original: Path) -> None:
    digests = [
        digest_of(original, **options)
        for options in (
            {},
            {"dtype": "bfloat16"},
            {"chat": True},
            {"template": "{prompt}\n"},
            {"chat": True, "template": "{prompt}\n"},
        )
    ]
    assert len(set(digests)) == len(digests)


def test_naming_the_stored_dtype_changes_nothing(original: Path) -> None:
    assert digest_of(original, dtype="float32") == digest_of(original)


def test_versions_matter(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest_of(original)
    monkeypatch.setattr("pytest_coderobust.models.hf.version", lambda name: f"0+cpu {name}")
    assert digest_of(original) != before


def test_identity_reads_files_and_loads_nothing(
    original: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(HFBackend, "load")
    model = backend(original)
    assert model.identity.facts["weights"]
    assert model.identity.facts["model"] == model.name
    assert model.identity.facts["dtype"] == "float32"


def test_the_stored_dtype_is_read_from_the_weights_if_need_be(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    (tmp_path / "config.json").write_text("{}")
    weights = tmp_path / "model.safetensors"
    save_file({"i": torch.zeros(1).int(), "w": torch.zeros(1).bfloat16()}, weights)
    assert stored_dtype(Checkpoint(tmp_path, (weights,), safetensors=True)) == "bfloat16"


class TestMemory:
    """The hashes of big files, remembered."""

    @pytest.fixture(autouse=True)
    def every_file_is_big(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fingerprint, "SMALL", 0)

    @pytest.fixture
    def settled(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Files were written a minute ago."""
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + 60)

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        file = tmp_path / "w"
        file.write_bytes(b"abc")
        return file

    @pytest.mark.usefixtures("settled")
    def test_a_big_file_is_hashed_once(self, file: Path, tmp_path: Path) -> None:
        cache = tmp_path / "cache"
        assert file_digest(file, cache=cache) == ABC
        (entry,) = cache.iterdir()
        edit_json(entry, sha256="remembered")
        assert file_digest(file, cache=cache) == "remembered"

    @pytest.mark.usefixtures("settled")
    def test_a_change_that_hides_its_time_is_seen(self, file: Path, tmp_path: Path) -> None:
        cache = tmp_path / "cache"
        before = file.stat()
        assert file_digest(file, cache=cache) == ABC
        # The clock of a file system is coarse: writes until it has moved on.
        while file.stat().st_ctime_ns == before.st_ctime_ns:
            file.write_bytes(b"xyz")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert file_digest(file, cache=cache) == hashlib.sha256(b"xyz").hexdigest()

    def test_a_file_written_a_moment_ago_is_not_remembered(
        self, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written = file.stat().st_ctime_ns / 1e9
        monkeypatch.setattr(time, "time", lambda: written + 1)
        assert file_digest(file, cache=tmp_path / "cache") == ABC
        assert not (tmp_path / "cache").exists()

    @pytest.mark.usefixtures("settled")
    @pytest.mark.parametrize("content", ["", "{", "[]", '{"state": 1}', '{"sha256": "x"}'])
    def test_a_damaged_memory_is_ignored(self, file: Path, tmp_path: Path, content: str) -> None:
        cache = tmp_path / "cache"
        file_digest(file, cache=cache)
        (entry,) = cache.iterdir()
        entry.write_text(content)
        assert file_digest(file, cache=cache) == ABC
        assert json.loads(entry.read_text())["sha256"] == ABC

    @pytest.mark.usefixtures("settled")
    def test_a_cache_that_cannot_be_written_is_no_trouble(self, file: Path, tmp_path: Path) -> None:
        blocked = tmp_path / "blocked"
        blocked.write_bytes(b"")
        assert file_digest(file, cache=blocked) == ABC
