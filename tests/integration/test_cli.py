"""The console command."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pytest_coderobust import cli
from pytest_coderobust.cli import GROUPS, main


def test_doctor_prints_versions_devices_sandbox_and_data(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEROBUST_DATA", "/no/such/folder")
    monkeypatch.setenv("XDG_CACHE_HOME", "/no/such/cache")
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    for word in (
        "versions",
        "torch",
        "devices",
        "cpu",
        "sandbox",
        "tier",
        "cpp",
        "java",
        "data",
        "humaneval",
        "covariances        0 B in 0 entries",
    ):
        assert word in printed
    assert "not found: coderobust fetch humaneval" in printed
    assert "tier               none" not in printed


def test_unknown_data_set_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", "humanevil"]) == 4
    assert "did you mean 'humaneval'?" in capsys.readouterr().err


def test_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["docter"])
    assert caught.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_trace_refuses_an_unknown_perturbation_before_a_model_loads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = tmp_path / "quick.toml"
    suite.write_text('[suite]\ntasks = "quickstart"\nlimit = 1\n')
    words = ["trace", "--model", "codellama-7b", "--suite", str(suite), "--perturb", "C77"]
    assert main(words) == 4
    assert "--perturb: unknown perturbation 'C77'" in capsys.readouterr().err


def test_help_shows_every_command_once_in_its_group(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    place = 0
    for group, names in GROUPS.items():
        place = printed.index(f"\n{group}:\n", place)
        for name in names:
            place = printed.index(f"\n  {name.replace('_', '-')} ", place)
    registering = {
        path.stem
        for path in Path(cli.__file__).parent.glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == "register"
    }
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(registering)


def test_help_of_one_command_has_its_own_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["explain", "--help"])
    assert capsys.readouterr().out.startswith("usage: coderobust explain [-h]")
