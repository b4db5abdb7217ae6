"""`coderobust trace`: the profile of one request, and a sweep over several."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_coderobust.cli import main

SUITE = '[suite]\ntasks = "quickstart"\nperturbations = ["C1"]\n[sampling]\nmax_new_tokens = 64\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suite.toml").write_text(SUITE)
    return tmp_path


def trace(*words: str) -> int:
    return main(["trace", "--model=tiny", "--suite=suite.toml", "--samples=2", *words])


@pytest.mark.usefixtures("folder")
def test_a_sweep_over_one_request_is_its_profile(capsys: pytest.CaptureFixture[str]) -> None:
    assert trace("--perturb=C1") == 0
    alone = capsys.readouterr().out
    assert trace("--perturb=C1", "--requests=1") == 0
    swept = capsys.readouterr().out
    profile = re.findall(r"^ +(\d+) +([\d.]+) ", alone, re.MULTILINE)
    rows = re.findall(r"^ +layer (\d+) .*? (\d) +([\d.]+)\b", swept, re.MULTILINE)
    assert [(layer, float(mean)) for layer, _, mean in rows] == [
        (layer, float(found)) for layer, found in profile
    ]
    assert len(rows) == 8
    keys = [layer for layer, count, _ in rows if count == "1"]
    assert keys == re.findall(r"^ +(\d+) .*<- key", alone, re.MULTILINE)
    assert f"1 request, {1 - len(keys)} without one" in swept


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--requests=0"], "--requests 0: must be at least 1"),
        (["--requests=2", "--task=quickstart/1"], "takes no --task or --picture"),
        (["--task=quickstart/1000"], "unknown task 'quickstart/1000'; did you mean"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_bad_input_is_one_sentence(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trace("--perturb=C1", *words) == 4
    shown = capsys.readouterr().err
    assert told in shown
    assert "Traceback" not in shown
