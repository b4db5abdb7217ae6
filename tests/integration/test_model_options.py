"""Options about the model reach the network, through pytest, through commands and from Python.

The checkpoint brings code of its own that writes down how it was run: threads, dtype, device, rows.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Project

from pytest_coderobust.tiny import checkpoint_path

SPY = """
import functools
import os
import torch
from transformers import LlamaForCausalLM

class SpyForCausalLM(LlamaForCausalLM):
    @functools.wraps(LlamaForCausalLM.forward)
    def forward(self, *given, **named):
        ids = named.get("input_ids", given[0] if given else None)
        rows = 0 if ids is None else len(ids)
        line = f"{torch.get_num_threads()} {self.dtype} {self.device} {rows}"
        with open(os.environ["SPY_FILE"], "a") as stream:
            print(line, file=stream)
        return super().forward(*given, **named)
"""
CHAT = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
SUITE = """
[suite]
tasks = "quickstart"
perturbations = ["C1"]
limit = 4
max_unusable = 1.0
[sampling]
max_new_tokens = 24
"""
HOW = {
    "threads": "2", "dtype": "bfloat16", "device": "cpu", "batch-size": "3",
}  # fmt: skip


def make_spy(folder: Path) -> Path:
    """The bundled model with code of its own beside its weights, and a chat template."""
    shutil.copytree(checkpoint_path(), folder)
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "spying.SpyForCausalLM"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "spying.py").write_text(SPY)
    (folder / "chat_template.jinja").write_text(CHAT)
    return folder


@pytest.fixture
def spied(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    make_spy(project.path / "spy")
    (project.path / "quick.toml").write_text(SUITE)
    (project.path / "sub").mkdir()
    monkeypatch.setenv("SPY_FILE", str(project.path / "spied.txt"))
    monkeypatch.setenv("HF_HOME", str(project.path / "hub"))
    project.pytester.makepyprojecttoml(
        '[tool.pytest.ini_options]\n[tool.coderobust.models.ours]\nid = "./spy"\n'
    )
    return project


def seen(project: Project) -> set[tuple[str, str, str]]:
    """Threads, dtype and device of every forward pass; no batch was larger than asked for."""
    lines = [line.split() for line in (project.path / "spied.txt").read_text().splitlines()]
    (project.path / "spied.txt").unlink()
    assert lines
    assert max(int(rows) for *_, rows in lines) <= int(HOW["batch-size"])
    return {(threads, dtype, device) for threads, dtype, device, _ in lines}


def ledgers(project: Project) -> list[str]:
    return [str(each.relative_to(project.path)) for each in project.path.rglob("ledger.sqlite")]


def run_in_sub(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=project.path / "sub", capture_output=True, text=True, check=False,
        env=dict(os.environ),
    )  # fmt: skip


def test_pytests_options_reach_the_network(spied: Project) -> None:
    words = [f"--coderobust-{name}={value}" for name, value in HOW.items()]
    result = spied.run(
        "quick.toml", "--model=ours", *words, "--coderobust-chat=yes",
        "--coderobust-trust-remote-code", "--coderobust-json=out.json",
    )  # fmt: skip
    assert "Traceback" not in result.stdout.str()
    assert seen(spied) == {("2", "torch.bfloat16", "cpu")}
    found: Any = spied.json()
    facts = json.dumps(found)
    assert '"dtype": "bfloat16"' in facts
    assert '"prompt": "chat"' in facts
    assert '"threads": "2 (asked for)"' in facts


def test_without_trust_a_checkpoints_code_stays_unread(spied: Project) -> None:
    result = spied.run("quick.toml::quickstart/0[clean]", "--model=ours", "--coderobust-no-gates")
    assert "1 solved" in result.stdout.str()
    assert not (spied.path / "spied.txt").exists()


@pytest.mark.parametrize("command", ["edit", "trace"])
def test_a_commands_options_reach_the_network_from_a_subfolder(
    spied: Project, command: str
) -> None:
    """`ours` is the project's name for the model, and the ledger is the project's too."""
    own = {
        "edit": ["--edit=ft:layer=1,stop=0,epsilon=0.5,lr=0.1", "--out=../fix"],
        "trace": ["--perturb=C3", "--samples=1", "--temperature=0"],
    }[command]
    words = [f"--{name}={value}" for name, value in HOW.items()]
    found = run_in_sub(
        spied, "-m", "pytest_coderobust.cli", command, "--model=ours", "--suite=../quick.toml",
        *own, *words, "--chat=no", "--trust-remote-code", "--sandbox-workers=1",
    )  # fmt: skip
    # Four tasks may hold no eligible request, and the layers of foreign code cannot be traced: what
    # counts is how the network ran until one sentence said so.
    ends = {"edit": "no eligible request", "trace": "cannot be traced|breaks none"}
    assert "Traceback" not in found.stderr
    assert not found.returncode or re.search(ends[command], found.stderr), found.stderr
    assert seen(spied) == {("2", "torch.bfloat16", "cpu")}
    assert ledgers(spied) == [".coderobust/ledger.sqlite"]


def test_pythons_keywords_reach_the_network_from_a_subfolder(spied: Project) -> None:
    program = (
        "from pytest_coderobust.hunt.finding import find_breaking_prompt\n"
        "(found,) = find_breaking_prompt('ours', '../quick.toml', 'quickstart/0',\n"
        "    perturbations=('C1',), completions=4, threads=2, dtype='bfloat16', device='cpu',\n"
        "    batch_size=3, trust_remote_code=True, sandbox_workers=1)\n"
        "print(found.task_id)"
    )
    found = run_in_sub(spied, "-c", program)
    assert found.stdout == "quickstart/0\n", found.stderr
    assert seen(spied) == {("2", "torch.bfloat16", "cpu")}
    assert ledgers(spied) == [], "what is not named is not kept"


@pytest.mark.parametrize("command", ["edit", "trace"])
def test_an_unknown_model_is_told_with_the_projects_own_names(spied: Project, command: str) -> None:
    own = {"edit": ["--edit=ft", "--out=fix"], "trace": ["--perturb=C1"]}[command]
    found = run_in_sub(
        spied, "-m", "pytest_coderobust.cli", command, "--model=our", "--suite=../quick.toml", *own
    )
    assert found.returncode == 4
    assert "unknown model 'our'; did you mean 'ours'?" in found.stderr
    assert "Traceback" not in found.stderr
