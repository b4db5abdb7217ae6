"""`coderobust trace`: the profile of one request, and a sweep over several."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_coderobust.cli import main
from pytest_coderobust.cli import trace as command
from pytest_coderobust.editors import localisation
from pytest_coderobust.editors.localisation import LayerEffect, Trace
from pytest_coderobust.editors.protocol import EditRequest
from pytest_coderobust.tiny.suite import quickstart

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


@pytest.fixture
def quick(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """C1 breaks the second and third task and W2 none, as is told without asking the model."""
    names = [f"quickstart/{number}" for number in (2, 3)]
    found = Trace(1.0, 0.0, (LayerEffect(0.0, 0.0, 1.0), LayerEffect(1.0, 1.0, 1.0)), 1)

    def breaks(each: EditRequest, *_: object) -> bool:
        return each.perturbation == "C1" and each.task.id in names

    def find(*_: object) -> Trace:
        return found

    monkeypatch.setattr(command, "_breaks", breaks)
    monkeypatch.setattr(localisation, "trace", find)
    monkeypatch.setattr(command, "_LOOK", 1)
    monkeypatch.chdir(folder)


@pytest.mark.usefixtures("quick")
def test_a_sweep_looks_at_every_task_and_says_what_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert trace("--perturb=C1", "--requests=2") == 0
    shown = capsys.readouterr().out
    assert "2 requests" in shown
    assert "breaks" not in shown
    assert trace("--perturb=C1,W2", "--requests=100") == 0
    shown = capsys.readouterr().out
    count = len(quickstart())
    assert shown.splitlines()[:2] == [
        f"C1-s0 breaks 2 of the suite's {count} tasks; --requests asks for 100",
        f"W2-s0 breaks none of the suite's {count} tasks",
    ]
    assert "2 requests" in shown
    assert trace("--perturb=W2", "--requests=1") == 4
    assert f"W2-s0 breaks none of the suite's {count} tasks\n" in capsys.readouterr().err
    assert trace("--perturb=C1") == 4  # alone, it gives up after the first ones
    assert "C1-s0 breaks none of the first 1 tasks; name one with --task" in capsys.readouterr().err


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
