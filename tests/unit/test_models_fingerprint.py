"""A model's digest: it changes with whatever changes an answer, and with nothing else."""

from __future__ import annotations

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


def test_identity_reads_files_and_loads_nothing(original: Path) -> None:
    model = backend(original)
    assert model.identity.facts["weights"]
    assert model.identity.facts["model"] == model.name
    assert model.identity.facts["dtype"] == "float32"
    assert model._loaded is None


def test_the_stored_dtype_is_read_from_the_weights_if_need_be(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    (tmp_path / "config.json").write_text("{}")
    weights = tmp_path / "model.safetensors"
    save_file({"i": torch.zeros(1).int(), "w": torch.zeros(1).bfloat16()}, weights)
    assert stored_dtype(Checkpoint(tmp_path, (weights,), safetensors=True)) == "bfloat16"


class TestMemory:
    """The hashes of big files, remembered."""

    @pytest.fixture
    def hashed(self, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
        """Every file is big; lists what is hashed anew."""
        found: list[Path] = []
        sha256 = fingerprint._sha256

        def counting(path: Path) -> str:
            found.append(path)
            return sha256(path)

        monkeypatch.setattr(fingerprint, "SMALL", 0)
        monkeypatch.setattr(fingerprint, "_sha256", counting)
        return found

    def settle(self, monkeypatch: pytest.MonkeyPatch, seconds: float = 60) -> None:
        """Lets time go by."""
        now = time.time
        monkeypatch.setattr(fingerprint.time, "time", lambda: now() + seconds)

    def test_a_big_file_is_hashed_once(
        self, tmp_path: Path, hashed: list[Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.settle(monkeypatch)
        file, cache = tmp_path / "w", tmp_path / "cache"
        file.write_bytes(b"abc")
        first = file_digest(file, cache=cache)
        assert file_digest(file, cache=cache) == first
        assert len(hashed) == 1

    def test_a_change_that_hides_its_time_is_seen(
        self, tmp_path: Path, hashed: list[Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.settle(monkeypatch)
        file, cache = tmp_path / "w", tmp_path / "cache"
        file.write_bytes(b"abc")
        times = file.stat().st_atime_ns, file.stat().st_mtime_ns
        first = file_digest(file, cache=cache)
        time.sleep(0.02)
        file.write_bytes(b"xyz")
        os.utime(file, ns=times)
        assert file_digest(file, cache=cache) != first
        assert len(hashed) == 2

    def test_a_file_written_a_moment_ago_is_not_remembered(
        self, tmp_path: Path, hashed: list[Path]
    ) -> None:
        file, cache = tmp_path / "w", tmp_path / "cache"
        file.write_bytes(b"abc")
        file_digest(file, cache=cache)
        file_digest(file, cache=cache)
        assert len(hashed) == 2

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"state": 1}', '{"sha256": "x"}'])
    def test_a_damaged_memory_is_ignored(
        self,
        tmp_path: Path,
        hashed: list[Path],
        monkeypatch: pytest.MonkeyPatch,
        content: str,
    ) -> None:
        self.settle(monkeypatch)
        file, cache = tmp_path / "w", tmp_path / "cache"
        file.write_bytes(b"abc")
        first = file_digest(file, cache=cache)
        (entry,) = cache.iterdir()
        entry.write_text(content)
        assert file_digest(file, cache=cache) == first
        assert len(hashed) == 2

    def test_a_cache_that_cannot_be_written_is_no_trouble(
        self, tmp_path: Path, hashed: list[Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.settle(monkeypatch)
        file, blocked = tmp_path / "w", tmp_path / "blocked"
        file.write_bytes(b"abc")
        blocked.write_bytes(b"")
        file_digest(file, cache=blocked)
        file_digest(file, cache=blocked)
        assert len(hashed) == 2
