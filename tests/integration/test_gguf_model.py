"""GGUF files under both doors: a run, an edit that is made and saved, and refusals."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Project

SUITE = """
[suite]
tasks = "quickstart"
perturbations = ["C1"]
limit = 3
max_unusable = 1.0
[sampling]
max_new_tokens = 48
[edit]
n = 1
placebos = 0
"""
EDIT = "ft:epsilon=0.01,lr=0.002,layer=1"


@pytest.fixture
def quick(project: Project, packed_gguf: Path) -> Project:
    (project.path / "quick.toml").write_text(SUITE)
    shutil.copy(packed_gguf, project.path / "m.gguf")
    return project


def edit(project: Project, out: str) -> subprocess.CompletedProcess[str]:
    words = ["--model=./m.gguf", f"--edit={EDIT}", "--suite=quick.toml", f"--out={out}"]
    return subprocess.run(
        [sys.executable, "-m", "pytest_coderobust.cli", "edit", *words],
        cwd=project.path, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_file_is_measured_like_a_folder(quick: Project) -> None:
    result = quick.run("quick.toml", "--model=./m.gguf", "--coderobust-json=out.json")
    assert result.ret == 0, result.stdout.str()
    document: Any = quick.json()
    facts = document["facts"]
    assert facts["quantised"] == "GGUF Q8_0, unpacked"
    assert facts["model"] == "./m.gguf"
    clean = [item["c"] for item in document["items"] if item["condition"] == "clean"]
    assert clean == [1] * 3


@pytest.mark.slow
def test_an_edit_of_a_file_is_saved_and_measured(quick: Project) -> None:
    made = edit(quick, "fix")
    assert made.returncode == 0, made.stderr
    named = json.loads((quick.path / "fix" / "edit.json").read_text())
    assert named["model"] == "./m.gguf"
    result = quick.run("quick.toml", "--model=./m.gguf", "--edit=fix", "--coderobust-json=out.json")
    assert result.ret == 0, result.stdout.str()
    found: Any = quick.json()
    assert found["edit"]["regime"] == "saved"


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("./gone.gguf", "*model './gone.gguf': there is no such file*"),
        ("gone/m.gguf", "*model 'gone/m.gguf': there is no such file*"),
        ("./tasks.gguf", "*model './tasks.gguf': the file is no GGUF*"),
    ],
)
def test_what_is_no_gguf_is_refused_in_one_sentence(project: Project, name: str, seen: str) -> None:
    (project.path / "tasks.gguf").write_text("{}")
    project.write_suite()
    result = project.run("toy.toml", f"--model={name}")
    assert result.ret == 4
    result.stderr.fnmatch_lines([seen])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
