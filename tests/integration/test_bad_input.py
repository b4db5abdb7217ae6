"""A user's mistake is one clear sentence, before any model loads, with pytest's exit codes."""

from __future__ import annotations

import pytest
from conftest import TASKS, Project

USAGE, COLLECTION = pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERRUPTED


def said(result: pytest.RunResult) -> str:
    output = result.stdout.str() + result.stderr.str()
    assert "Traceback" not in output
    assert "INTERNALERROR" not in output
    return " ".join(output.split())


@pytest.mark.parametrize(
    ("suite", "sentence"),
    [
        ('perturbations = ["C11"]', "unknown perturbation 'C11'"),
        ('perturbatons = ["C1"]', "did you mean 'perturbations'?"),
        ('gates = ["rd[C2] <= 0.1"]\nperturbations = ["C1"]', "does not measure; did you mean 'C1'?"),
        ('gates = ["rdd[C1] <= 0.1"]\nperturbations = ["C1"]', "unknown metric 'rdd'"),
        ('gates = ["pass@10 >= 0.1"]', "asks for k = 10"),
        ("k = [5]", "5 lies outside 1 to 1"),
        ('format = "humanevil"', "did you mean 'humaneval'?"),
        ("seeds = 100000000", "seeds = 100000000: must be at most 10000"),
        ("[sampling]\nn = 100000000\ntemperature = 1.0", "n = 100000000: must be at most 10000"),
        ('name = " "', "must not be empty"),
        ("this is not toml", "not valid TOML"),
    ],
)  # fmt: skip
def test_mistake_in_a_suite_cannot_be_collected(
    project: Project, suite: str, sentence: str
) -> None:
    project.write_suite(suite)
    result = project.run("toy.toml", "--model", "codellama-7b")
    assert sentence in said(result)
    assert "toy.toml" in said(result)
    assert result.ret == COLLECTION


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[siute]\ntasks = "tasks.jsonl"\n', "unknown section 'siute'; did you mean 'suite'?"),
        ("", "[suite] tasks: missing"),
        ("[tool.other]\n", "unknown section 'tool'"),
    ],
)
def test_toml_that_is_named_and_is_no_suite_says_what_is_wrong(
    project: Project, text: str, sentence: str
) -> None:
    (project.path / "toy.toml").write_text(text)
    result = project.run("toy.toml", "--model", "oracle")
    assert sentence in said(result)
    assert result.ret == COLLECTION


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"task_id": "a"\n', "line 1"),
        ("", "tasks.jsonl"),
        ('{"task_id": "a", "prompt": "def f():\\n"}\n', "entry_point"),
    ],
)
def test_mistake_in_the_tasks_names_file_and_line(
    project: Project, text: str, sentence: str
) -> None:
    project.write_suite()
    (project.path / "tasks.jsonl").write_text(text)
    result = project.run("toy.toml", "--model", "codellama-7b")
    assert sentence in said(result)
    assert result.ret == COLLECTION


def test_task_without_tests_is_named(project: Project) -> None:
    project.write_suite()
    project.write_tasks([{key: value for key, value in TASKS[0].items() if key != "test"}])
    result = project.run("toy.toml", "--model", "codellama-7b")
    assert "test" in said(result)
    assert result.ret == COLLECTION


def test_missing_tasks_file_is_named(project: Project) -> None:
    (project.path / "toy.toml").write_text('[suite]\ntasks = "absent.jsonl"')
    result = project.run("toy.toml", "--model", "codellama-7b")
    assert "absent.jsonl" in said(result)
    assert result.ret == COLLECTION


def test_missing_data_set_says_how_to_get_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CODEROBUST_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.path / "cache"))
    (project.path / "toy.toml").write_text('[suite]\ntasks = "humaneval"')
    result = project.run("toy.toml", "--model", "codellama-7b")
    assert "coderobust fetch humaneval" in said(result)
    assert result.ret == COLLECTION


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--perturb=C1,C77", "--perturb: unknown perturbation 'C77'"),
        ("--coderobust-batch-size=none", "'none' must be a whole number"),
        ("--coderobust-dtype=float8", "must be one of auto, float32"),
        ("--coderobust-device=gpu", "--coderobust-device 'gpu' must be one of auto, cpu, cuda"),
        ("--model=replay:absent.jsonl", "absent.jsonl"),
        ("--model=scripted:cannonical", "scripted:canonical"),
    ],
)
def test_bad_option_is_a_usage_error(project: Project, option: str, sentence: str) -> None:
    project.write_suite()
    result = project.run("toy.toml", "--coderobust-model=oracle", option)
    assert sentence in said(result)
    assert result.ret == USAGE


def test_ledger_that_is_no_ledger_is_one_sentence(project: Project) -> None:
    project.write_suite()
    result = project.run("toy.toml", "--model", "oracle", "--coderobust-ledger", "tasks.jsonl")
    assert "tasks.jsonl cannot be used as a ledger" in said(result)
    assert result.ret != 0


def test_malformed_recording_names_its_line(project: Project) -> None:
    project.write_suite()
    (project.path / "bad.jsonl").write_text('{"task_id": "Toy/0", "completion": "x"}\n{nonsense\n')
    result = project.run("toy.toml", "--model", "replay:bad.jsonl")
    assert "line 2" in said(result)
    assert result.ret != 0


def test_damaged_ledger_is_one_sentence_and_stops_the_run(project: Project) -> None:
    project.write_suite()
    ledger = project.path / ".coderobust" / "ledger.sqlite"
    assert project.run("toy.toml", "--model", "oracle").ret == 0
    whole = ledger.read_bytes()
    ledger.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    result = project.run("toy.toml", "--model", "oracle")
    assert "ledger.sqlite cannot be used as a ledger: database disk image" in said(result)
    result.assert_outcomes(errors=1)
    assert result.ret not in (0, pytest.ExitCode.INTERNAL_ERROR)


def test_trouble_with_a_model_is_told_once(project: Project) -> None:
    project.write_suite()
    (project.path / "empty.jsonl").touch()
    result = project.run("toy.toml", "--model", "replay:empty.jsonl")
    assert "no recorded completion" in said(result)
    assert "During handling" not in said(result)
    assert result.ret == COLLECTION
