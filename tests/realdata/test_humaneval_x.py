"""HumanEval-X's canonical solutions, compiled and run in the cage; perturbed end to end."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Project

from pytest_coderobust.records import Language, Task, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.languages.toolchain import missing_toolchain
from pytest_coderobust.tasks.load import load_tasks

NEEDED = 160
LIBRARIES = ("boost/any.hpp", "openssl/md5.h")
"""Needs of three C++ tasks besides the standard library."""

NEEDS = {
    name: pytest.mark.skipif(bool(missing_toolchain(name)), reason=missing_toolchain(name))
    for name in ("cpp", "java")
}
LANGUAGES = [pytest.param(name, marks=mark) for name, mark in NEEDS.items()]


def judged(language: Language, tasks: tuple[Task, ...]) -> dict[str, Verdict]:
    with open_sandbox(2) as sandbox:
        futures = {
            task.id: sandbox.submit(
                Check(task.prompt + str(task.canonical), task.entry_point, task.tests, language=language)
            )
            for task in tasks
        }  # fmt: skip
        return {name: future.result(timeout=1800) for name, future in futures.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_few_canonical_solutions_pass(data: Path, language: Language) -> None:
    tasks = load_tasks(f"humaneval-{language}", base=data).tasks
    assert len(tasks) == 164
    chosen = tuple(tasks[number] for number in (1, 38))
    assert {name: v.failure for name, v in judged(language, chosen).items() if not v.full} == {}


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_canonical_solutions_pass_but_for_missing_libraries(data: Path, language: Language) -> None:
    verdicts = judged(language, load_tasks(f"humaneval-{language}", base=data).tasks)
    failed = {name: verdict.detail for name, verdict in verdicts.items() if not verdict.full}
    print(f"{len(verdicts) - len(failed)} of {len(verdicts)} {language}: {failed}")  # noqa: T201
    assert len(verdicts) - len(failed) >= NEEDED
    assert [why for why in failed.values() if not any(name in why for name in LIBRARIES)] == []


@pytest.mark.slow
@NEEDS["java"]
@NEEDS["cpp"]
def test_perturbed_comments_run_end_to_end(data: Path, project: Project) -> None:
    names = ("cpp", "java")
    for name in names:
        (project.path / f"{name}.toml").write_text(
            f'[suite]\ntasks = "humaneval-{name}"\nlimit = 2\nperturbations = ["C1", "W1"]\n'
        )
    result = project.run(*(f"{name}.toml" for name in names), "--model", "oracle")
    assert result.ret == 0
    assert "4 solved, 8 robust" in result.stdout.str()
    assert result.stdout.str().count("judged in-process (tests that cannot be split") == 2
