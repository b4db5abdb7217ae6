"""The console command."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_coderobust.cli import main


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
