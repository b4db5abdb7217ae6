"""Whole benchmarks and recorded completions, judged as the reference evaluator judged them."""

from __future__ import annotations

import ast
import csv
import gzip
import json
import os
import random
import subprocess
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_coderobust import records
from pytest_coderobust.cli import main
from pytest_coderobust.records import Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check, Sandbox

SAMPLE, SEED = 200, 0

pytestmark = pytest.mark.skipif(
    not os.environ.get("CODEROBUST_DATA"), reason="CODEROBUST_DATA names no benchmark data"
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(2) as opened:
        yield opened


def data(*parts: str) -> Path:
    return Path(os.environ["CODEROBUST_DATA"], *parts)


def json_lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def humaneval() -> dict[str, dict[str, Any]]:
    rows = json_lines(data("humaneval", "HumanEval.jsonl.gz"))
    return {row["task_id"]: row for row in rows}


def humaneval_check(row: dict[str, Any], completion: str) -> Check:
    tests = records.Tests(row["test"], "check", row["prompt"])
    return Check(row["prompt"] + completion, row["entry_point"], tests)


def verdicts(sandbox: Sandbox, checks: Iterable[Check]) -> list[Verdict]:
    futures = [sandbox.submit(check) for check in checks]
    return [future.result(timeout=600) for future in futures]


def failing(names: Iterable[str], judged: Iterable[Verdict]) -> list[tuple[str, str]]:
    return [(n, v.detail) for n, v in zip(names, judged, strict=True) if not v.full]


def test_humaneval_canonical_solutions_all_pass(sandbox: Sandbox) -> None:
    tasks = humaneval()
    checks = [humaneval_check(row, row["canonical_solution"]) for row in tasks.values()]
    assert len(checks) == 164
    assert failing(tasks, verdicts(sandbox, checks)) == []


@pytest.mark.slow
def test_twenty_four_workers_give_the_verdicts_of_two(sandbox: Sandbox) -> None:
    tasks = humaneval()
    checks = [humaneval_check(row, row["canonical_solution"]) for row in tasks.values()]
    with open_sandbox(24) as crowded:
        many = verdicts(crowded, checks)
    assert failing(tasks, many) == []
    assert [replace(v, cpu_seconds=0.0) for v in many] == [
        replace(v, cpu_seconds=0.0) for v in verdicts(sandbox, checks)
    ]


def test_humaneval_stubs_all_fail(sandbox: Sandbox) -> None:
    tasks = humaneval()
    judged = verdicts(sandbox, (humaneval_check(row, "    pass\n") for row in tasks.values()))
    assert [name for name, verdict in zip(tasks, judged, strict=True) if verdict.full] == []


def mbpp_check(row: dict[str, str]) -> Check:
    asserts = ast.literal_eval(row["test_imports"]) + ast.literal_eval(row["test_list"])
    source = "\n".join(asserts)
    program = ast.parse(row["code"])
    defined = {node.name for node in program.body if isinstance(node, ast.FunctionDef)}
    called = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    (entry_point,) = defined & called
    # MBPP/596 compares with `sys.getsizeof(...)` and leaves the import to the solution.
    imports = [node for node in program.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    helpers = "\n".join(map(ast.unparse, imports))
    return Check(row["code"], entry_point, records.Tests(source, "asserts", helpers))


@pytest.mark.filterwarnings("ignore:invalid escape sequence")
def test_mbpp_gold_solutions_all_pass(sandbox: Sandbox) -> None:
    csv.field_size_limit(1 << 30)
    with gzip.open(data("mbpp", "mbpp_sanitized.csv.gz"), "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 427
    judged = verdicts(sandbox, map(mbpp_check, rows))
    assert failing((row["task_id"] for row in rows), judged) == []


def test_mbpp_in_humanevals_shape_fails_only_where_plain_python_fails(sandbox: Sandbox) -> None:
    rows = json_lines(data("mbpp", "mbpp_recode.jsonl.gz"))
    assert len(rows) == 974
    checks = [recode_check(row) for row in rows]
    judged = zip(rows, verdicts(sandbox, checks), strict=True)
    failed = [row for row, verdict in judged if not verdict.full]
    assert 0 < len(failed) <= 11
    assert [row["task_id"] for row in failed if passes_in_plain_python(row)] == []


def recode_check(row: dict[str, Any]) -> Check:
    solution = row["prompt"] + row["canonical_solution"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            program = ast.parse(solution).body
        except SyntaxError:  # MBPP/64 and /966 as released
            program = []
    imports = [node for node in program if isinstance(node, (ast.Import, ast.ImportFrom))]
    tests = records.Tests(row["test"], "check", "\n".join(map(ast.unparse, imports)))
    return Check(solution, row["entry_point"], tests)


def passes_in_plain_python(row: dict[str, Any]) -> bool:
    program = (
        f"{row['prompt']}{row['canonical_solution']}\n{row['test']}\ncheck({row['entry_point']})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    return done.returncode == 0


def recorded() -> list[tuple[Check, bool]]:
    """Real completions with the reference evaluator's verdict on each."""
    stem = "humaneval_codegen16b_t0.8_n10"
    tasks = humaneval()
    rows = json_lines(data("completions", f"{stem}.jsonl.gz"))
    marks = json_lines(data("completions", f"{stem}.verdicts.jsonl.gz"))
    return [
        (humaneval_check(tasks[row["task_id"]], row["completion"]), mark["raw"])
        for row, mark in zip(rows, marks, strict=True)
    ]


def disagreements(sandbox: Sandbox, pairs: list[tuple[Check, bool]]) -> list[tuple[int, Verdict]]:
    judged = verdicts(sandbox, (check for check, _ in pairs))
    wrong = zip(pairs, judged, strict=True)
    return [(at, v) for at, ((_, passed), v) in enumerate(wrong) if v.full != passed]


def test_a_sample_of_recorded_completions_is_judged_as_the_reference_does(
    sandbox: Sandbox,
) -> None:
    pairs = random.Random(SEED).sample(recorded(), SAMPLE)
    print(f"{SAMPLE} of 1,640 recorded completions, seed {SEED}")  # noqa: T201
    assert 0 < sum(passed for _, passed in pairs) < SAMPLE
    assert disagreements(sandbox, pairs) == []


@pytest.mark.slow
def test_all_recorded_completions_are_judged_as_the_reference_does(sandbox: Sandbox) -> None:
    pairs = recorded()
    assert (len(pairs), sum(passed for _, passed in pairs)) == (1640, 348)
    assert disagreements(sandbox, pairs) == []


@pytest.mark.slow
def test_the_command_line_counts_what_the_reference_counts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    samples = data("completions", "humaneval_codegen16b_t0.8_n10.jsonl.gz")
    out = tmp_path / "results.jsonl"
    assert main(["check", str(samples), "--suite", "humaneval", "--results", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "pass@1    0.2122" in printed
    assert "pass@10   0.4695" in printed
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert sum(row["passed"] for row in rows) == 348
