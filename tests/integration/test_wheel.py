"""The wheel that a user installs: two packages, the bundled model, nothing global, nothing of ours left out."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def build(kind: str, folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(build("wheel", tmp_path_factory.mktemp("dist")))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> tarfile.TarFile:
    return tarfile.open(build("sdist", tmp_path_factory.mktemp("source")))


def test_wheel_holds_two_packages_and_no_global_strategies(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert tops == {
        "pytest_coderobust",
        "coderobust_strategies",
        "pytest_coderobust-0.1.0.dist-info",
    }


def test_wheel_holds_every_module(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    for root in (ROOT, ROOT / "strategies"):
        for package in ("pytest_coderobust", "coderobust_strategies"):
            for path in (root / package).rglob("*.py"):
                assert path.relative_to(root).as_posix() in names


def test_wheel_holds_the_bundled_model_and_stays_small(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    for name in ("model.safetensors", "tokenizer.json", "config.json", "README.md"):
        assert f"pytest_coderobust/tiny/checkpoint/{name}" in names
    weights = wheel.getinfo("pytest_coderobust/tiny/checkpoint/model.safetensors")
    assert weights.file_size <= 8 * 2**20
    assert {"pytest_coderobust/py.typed", "coderobust_strategies/py.typed"} <= names


def test_wheel_registers_plugin_and_command(wheel: zipfile.ZipFile) -> None:
    entry_points = wheel.read("pytest_coderobust-0.1.0.dist-info/entry_points.txt").decode()
    assert "coderobust = pytest_coderobust.plugin" in entry_points
    assert "coderobust = pytest_coderobust.cli:main" in entry_points


def test_no_intent_of_conala_is_distributed(
    data: Path, wheel: zipfile.ZipFile, sdist: tarfile.TarFile
) -> None:
    """CoNaLa is CC BY-SA 4.0, this package MIT: not one of its 200 intents may be in it."""
    rows = json.loads((data / "conala" / "conala_200.json").read_text(encoding="utf-8"))
    intents = [text for row in rows for text in (row["intent"], row["rewritten_intent"]) if text]
    assert len(intents) > 390
    files = {name: wheel.read(name) for name in wheel.namelist()}
    for member in sdist.getmembers():
        file = sdist.extractfile(member)
        if file is not None:
            files[member.name] = file.read()
    whole = " | ".join(_words(content) for content in files.values())
    assert "every intent of conala" in _words(b"one of\nEVERY  intent of CoNaLa")
    assert "not one of its 200 intents may be in it." in whole  # this file is in the sdist
    assert [intent for intent in map(str, intents) if _words(intent.encode()) in whole] == []


def _words(content: bytes) -> str:
    """The text of a file without differences of case and blanks; "" for one that is no text."""
    try:
        return " ".join(content.decode("utf-8").casefold().split())
    except UnicodeDecodeError:
        return ""
