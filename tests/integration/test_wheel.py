"""The wheel that a user installs: two packages, the bundled model, nothing global, nothing of ours left out."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


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
