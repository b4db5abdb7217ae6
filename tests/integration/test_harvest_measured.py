"""Harvested tasks measured: by the oracle, by the bundled model, and by SmolLM2 behind a server."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path
from typing import Any

import pytest
from conftest import Project
from support.real_servers import serve_gguf
from support.smollm2 import find_smollm2

from pytest_coderobust.cli import main

pytestmark = pytest.mark.slow

MODULES = ("statistics", "textwrap")


@pytest.fixture(scope="module")
def harvested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each module; the library's own tests take part."""
    tests = Path(statistics.__file__).parent / "test"
    if not (tests / "test_statistics.py").is_file():
        pytest.skip("this Python comes without the tests of its library")
    folder = tmp_path_factory.mktemp("harvested")
    for name in MODULES:
        wish = [name, "--tests", str(tests / f"test_{name}.py"), "--out", str(folder / name)]
        assert main(["harvest", *wish]) == 0
    return folder


def measure(project: Project, folder: Path, *arguments: str) -> Any:
    """Measures a harvested suite; returns the JSON document."""
    shutil.copytree(folder, project.path / folder.name)
    suite = f"{folder.name}/suite.toml"
    result = project.run(suite, *arguments, "--coderobust-json=out.json")
    assert result.ret == 0, result.stdout.str() + result.stderr.str()
    return project.json()


@pytest.mark.parametrize("name", MODULES)
def test_the_oracle_passes_all_that_was_kept(project: Project, harvested: Path, name: str) -> None:
    document = measure(project, harvested / name, "--model=oracle")
    items = [item for item in document["items"] if item["status"] != "skipped"]
    assert len(items) >= 20
    assert all(item["c"] == item["n"] for item in items)
    assert document["complete"]


def test_tiny_solves_none_and_the_report_says_so(project: Project, harvested: Path) -> None:
    shutil.copytree(harvested / "textwrap", project.path / "textwrap")
    result = project.run("textwrap/suite.toml", "--model=tiny")
    shown = " ".join(result.stdout.str().split())
    assert "window of 512" in shown
    assert "RD says nothing, because there is nothing to lose" in shown


def test_smollm2_is_measured(project: Project, harvested: Path, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp", reason="xllamacpp, llama.cpp's server, is not installed")
    model = find_smollm2()
    with serve_gguf(model, tmp_path / "log.txt", slots=1, window=8192, alias="smollm2") as server:
        (project.path / "pyproject.toml").write_text(
            f'[tool.coderobust.models.smol]\nserver = "{server.url}"\napi = "chat"\n'
            f'weights = "{model}"\nsampling_fields = {{ cache_prompt = false }}\n'
        )
        document = measure(project, harvested / "statistics", "--model=smol")
    assert len(document["items"]) >= 40
    assert any(item["status"] == "unsolved" for item in document["items"])
