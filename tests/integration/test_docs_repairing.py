"""The page about repairing a model is true: its commands, in their order, end as it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from coderobust_strategies.catalogue import level
from pytest_coderobust.cli import main
from pytest_coderobust.config.suite import read_suite
from pytest_coderobust.gates import check_gates, parse_gate

pytest.importorskip("accelerate")
PAGE = (Path(__file__).parents[2] / "docs" / "repairing.md").read_text(encoding="utf-8")
PROGRAMS = {"pytest": ["-m", "pytest", "-q"], "coderobust": ["-m", "pytest_coderobust.cli"]}


def read_commands() -> list[tuple[list[str], int]]:
    """The words of each command, and the status that the page says."""
    found: list[tuple[list[str], int]] = []
    for block in re.findall(r"```console\n(.*?)```", PAGE, flags=re.DOTALL):
        for line in block.splitlines():
            status = re.search(r"# status (\d)", line)
            found.append((shlex.split(line, comments=True), int(status[1]) if status else 0))
    return found


def write_suite(folder: Path) -> Path:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    path = folder / "suite.toml"
    path.write_text(text)
    return path


def test_the_suite_and_the_training_of_the_page_are_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    config = read_suite(write_suite(tmp_path))
    gates = [parse_gate(gate, "suite.toml") for gate in config.gates]
    levels = {name: level(name) for name in config.perturbations}
    check_gates(gates, config.ks, config.perturbations, levels, "suite.toml")
    (training,) = (words for words, _ in read_commands() if words[0] == "coderobust")
    assert main([*training[1:], "--rows", "16", "--steps", "1", "--threads", "1"]) == 0
    assert "training tiny on tiny:corpus, mix_all (16 rows" in capsys.readouterr().out
    assert [words[0] for words, _ in read_commands()] == ["pytest", "coderobust", *["pytest"] * 3]


@pytest.mark.slow
def test_the_commands_of_the_page_end_as_it_says(tmp_path: Path) -> None:
    write_suite(tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for words, status in read_commands():
        program = [sys.executable, *PROGRAMS[words[0]], *words[1:]]
        ran = subprocess.run(
            program, cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ}
        )
        assert ran.returncode == status, (words, ran.stdout[-3000:], ran.stderr[-1000:])
