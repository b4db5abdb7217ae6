"""`coderobust edit` saves an edit, `--edit FOLDER` tests it, and fixtures hand out both models."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import Any

import pytest
from conftest import Project
from safetensors.torch import load_file, save_file

from pytest_coderobust.tiny import checkpoint_path

SUITE = """
[suite]
tasks = "quickstart"
perturbations = ["C1"]
limit = 6
max_unusable = 1.0
gates = ["rd[C1] <= 1.0"]
[sampling]
max_new_tokens = 48
[edit]
n = 2
placebos = 0
"""
EDIT = "ft:epsilon=0.01,lr=0.002,layer=1"

OWN_TESTS = """
import pytest
import torch

from pytest_coderobust.plugin.stash import SESSION

@pytest.mark.coderobust(suite="quick.toml")
def test_models(code_task, variant, base_model, edited_model, edit_session, pytestconfig):
    assert base_model.identity.digest != edited_model.identity.digest
    if code_task.id != "quickstart/0":
        return
    before = base_model.complete(code_task, variant.prompt)
    weights = pytestconfig.stash[SESSION].backend.load().model.state_dict()
    kept = {name: each.clone() for name, each in weights.items()}
    request = edit_session.request(code_task.id, "C1")
    with edit_session.edited("ft:epsilon=0.5,lr=0.3,layer=1,stop=0", request) as broken:
        assert broken.identity.digest != base_model.identity.digest
        assert isinstance(broken.solves(code_task, code_task.prompt), bool)
        assert not all(torch.equal(kept[name], each) for name, each in weights.items())
    assert all(torch.equal(kept[name], each) for name, each in weights.items())
    assert base_model.complete(code_task, variant.prompt) == before
"""


@pytest.fixture
def quick(project: Project) -> Project:
    (project.path / "quick.toml").write_text(SUITE)
    return project


@pytest.mark.slow
def test_saved_edit_is_applied_to_every_item(quick: Project) -> None:
    words = ["--model=tiny", f"--edit={EDIT}", "--suite=quick.toml", "--out=fix"]
    made = subprocess.run(
        [sys.executable, "-m", "pytest_coderobust.cli", "edit", *words],
        cwd=quick.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert "pytest quick.toml --model=tiny --edit=fix" in made.stdout
    named = json.loads((quick.path / "fix" / "edit.json").read_text())["requests"][0]["label"]
    result = quick.run("quick.toml", "--model=tiny", "--edit=fix", "--coderobust-json=out.json")
    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines(["edit  fix", "*made before; scored on T=0.2, n=2"])
    found: Any = quick.json()
    assert found["edit"]["regime"] == "saved"
    own = [item["task"] for item in found["items"] if item.get("self")]
    assert set(own) == {named.partition("[")[0]}
    other = quick.path / "other"
    shutil.copytree(checkpoint_path(), other)
    tensors = load_file(other / "model.safetensors")
    tensors["model.norm.weight"] = 2 * tensors["model.norm.weight"]
    save_file(tensors, other / "model.safetensors", metadata={"format": "pt"})
    refused = quick.run("quick.toml", "--model=./other", "--edit=fix")
    assert refused.ret == 4
    refused.stderr.fnmatch_lines(["*the edit was made for model 'tiny' (*), not for './other' (*"])
    again = subprocess.run(
        [sys.executable, "-m", "pytest_coderobust.cli", "edit", *words],
        cwd=quick.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert again.returncode == 4
    assert "the folder is not empty" in again.stderr


@pytest.mark.slow
def test_fixtures_hand_out_base_and_edited_models(quick: Project) -> None:
    quick.pytester.makepyfile(test_own=OWN_TESTS)
    result = quick.run("test_own.py", "--model=tiny", f"--edit={EDIT}")
    result.assert_outcomes(passed=6)


@pytest.mark.slow
def test_successive_edits_are_measured_at_checkpoints(project: Project) -> None:
    suite = SUITE.replace("limit = 6", "limit = 60").replace("n = 2", "n = 2\ncheckpoints = [1, 3]")
    (project.path / "quick.toml").write_text(suite)
    result = project.run(
        "quick.toml", "--model=tiny", "--edit=ft:epsilon=0.02,lr=0.01,requests=5,regime=successive",
        "--coderobust-json=out.json",
    )  # fmt: skip
    assert result.ret == 0, result.stdout.str()
    found: Any = project.json()
    assert [step["number"] for step in found["edit"]["steps"]] == [1, 3, 5]
    drifts = [step["metrics"]["drift"] for step in found["edit"]["steps"]]
    assert drifts == sorted(drifts)
    assert drifts[0] < drifts[-1]
    assert len({item["task"] for item in found["items"] if item.get("self")}) == 5
