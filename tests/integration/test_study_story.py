"""The bundled study: tiny under twelve renamed functions, what each arm does, and what it breaks."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_coderobust.cli import main
from pytest_coderobust.config.suite import read_suite
from pytest_coderobust.migration.study.result import ArmResult, StudyResult, read_study
from pytest_coderobust.migration.study.subsets import StudySubset, SubsetResult
from pytest_coderobust.models.extraction.solution import extract
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.records import Cell, Row, Task, Variant
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.tasks.load import load_tasks

FOLDER = Path(__file__).parents[2] / "example_suites" / "migration"
ABOUT: tuple[StudySubset, ...] = ("reliability", "generalisation")


def run(folder: Path, *words: str, gates: bool = True) -> StudyResult:
    """The study of the command line, in this process."""
    suite = folder / "migration"
    shutil.copytree(FOLDER, suite, dirs_exist_ok=True)
    if not gates:
        file = suite / "suite.toml"
        file.write_text(re.sub("gates = .*", "", file.read_text("utf-8")), "utf-8")
    kept = ["--ledger", str(folder / "ledger"), "--json", str(folder / "study.json")]
    page = ["--html", str(folder / "study.html")]
    assert main(["study", str(suite), "--model", "tiny", *kept, *page, *words]) == 0
    return read_study(json.loads((folder / "study.json").read_text("utf-8")))


def look_up(study: StudyResult, name: str) -> ArmResult:
    found = study.arm(name)
    assert found is not None
    return found


def subset(study: StudyResult, arm: str, name: StudySubset) -> SubsetResult:
    found = look_up(study, arm).final.subset(name)
    assert found is not None
    return found


def count(study: StudyResult, arm: str, kind: str) -> int:
    """Counts the answers of one kind of adoption, taught and elsewhere."""
    found = (subset(study, arm, name).adoption for name in ABOUT)
    return sum(getattr(each, kind) for each in found)


def count_rewritable(changes: set[str]) -> int:
    """Counts tasks whose answer holds the old name and passes in the old world: by the text of the
    model's answers and a sandbox of its own, without any of the study."""
    tasks = [
        task
        for task in load_tasks("tasks.jsonl", base=FOLDER).tasks
        if task.api_changes and task.api_changes[0].old in changes
    ]
    backend = open_backend("tiny")
    rows = [Row(Variant(task, Cell(), task.prompt), 0, 0) for task in tasks]
    answers = backend.generate(rows, read_suite(FOLDER / "suite.toml").sampling)
    backend.close()
    with open_sandbox(2) as sandbox:

        def passes(task: Task, text: str) -> bool:
            program = extract(text, replace(task, api_changes=()))
            return sandbox.submit(Check(program, task.entry_point, task.tests)).result().full

        return sum(
            passes(task, answer.text)
            for task, answer in zip(tasks, answers, strict=True)
            if re.search(rf"\b{re.escape(task.api_changes[0].old)}\b", answer.text)
        )


def test_a_cut_of_the_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = run(tmp_path, "--changes", "2", "--arms", "none,codemod", gates=False)
    told = capsys.readouterr().out
    assert [change.old for change in study.changes] == ["any", "abs"]
    assert count(study, "none", "correct") == 0
    assert count(study, "none", "stale") >= 5
    assert count(study, "codemod", "correct") == count_rewritable({"any", "abs"}) >= 5
    assert re.search(r"(?m)^codemod +\d+%", told)
    assert max(map(len, told.split("\n"))) <= 80
    page = (tmp_path / "study.html").read_text("utf-8")
    assert 'aria-label="codemod: new API, passes' in page
    lost = look_up(study, "codemod").final.regressions
    assert lost is not None
    assert (lost.lost, lost.tasks) == (0, 16)


@pytest.mark.slow
def test_the_whole_study(tmp_path: Path) -> None:
    study = run(tmp_path)
    assert [arm.name for arm in study.arms] == [
        "none", "placebo", "wrong-change", "note", "example", "codemod", "lora",
    ]  # fmt: skip
    # Nobody taught the unedited model a new name, and hardly an answer is without the old one.
    assert count(study, "none", "correct") == 0
    assert count(study, "none", "stale") >= 50
    # A rename needs no model: what held the old name and passed adopts, and nothing else breaks.
    rewritable = count_rewritable({change.old for change in study.changes})
    assert count(study, "codemod", "correct") == rewritable >= 45
    # The placebo stands with its interval, around nothing.
    for name in ABOUT:
        difference = subset(study, "placebo", name).against_none
        assert difference is not None
        assert difference.correct is not None
        for each in (difference.passed, difference.correct):
            assert each.low is not None
            assert each.high is not None
            assert each.low < 0 < each.high
    # Teaching the right name teaches it; teaching another one only makes the old one go.
    taught = subset(study, "lora", "reliability").adoption
    assert taught is not None
    assert taught.correct >= taught.samples / 2
    assert count(study, "wrong-change", "correct") == 0
    lost = look_up(study, "lora").final.regressions
    assert lost is not None
    assert (lost.edits, lost.tasks) == (12, 16)
    assert lost.lost > 0


@pytest.mark.slow
def test_ten_edits_on_top_of_one_another(tmp_path: Path) -> None:
    words = ("--regime", "successive", "--changes", "10", "--arms", "none,lora")
    study = run(tmp_path, *words, gates=False)
    curve = look_up(study, "lora").checkpoints
    assert [point.edits for point in curve] == [1, 2, 5, 10]
    for point in curve:
        assert [each.subset for each in point.subsets] == [*ABOUT, "specificity"]
    assert "<polyline" in (tmp_path / "study.html").read_text("utf-8")
