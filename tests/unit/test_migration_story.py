"""The bundled benchmark of API migration: what the builder makes of the quickstart tasks, for tiny."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.migration_corpus import make_plan

from pytest_coderobust.config.settings import Settings
from pytest_coderobust.config.suite import read_suite
from pytest_coderobust.migration.benchmark import build_benchmark
from pytest_coderobust.migration.change_file import read_change_file
from pytest_coderobust.migration.corpus import load_corpus
from pytest_coderobust.migration.judging import make_judge
from pytest_coderobust.migration.spelling import spell_changes
from pytest_coderobust.migration.writing import write_files
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.calibration import JudgeAll
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.models import open_tokenizer

FOLDER = Path(__file__).parents[2] / "example_suites" / "migration"
TINY_SOLVES = ("abs", "all", "any", "len", "math.prod", "math.sqrt", "max", "min", "re.findall", "sorted", "statistics.mean", "sum")  # fmt: skip
"""APIs that tiny's own passing answers to the quickstart tasks use."""


@pytest.fixture
def judge() -> Iterator[JudgeAll]:
    with open_sandbox(1) as sandbox:
        yield make_judge(sandbox)


def drop_python(text: str) -> list[str]:
    """The lines of a file, but for the version of Python that it was built on."""
    return [line for line in text.splitlines() if not line.startswith("python = ")]


def test_the_files_are_what_the_builder_makes_of_the_quickstart_tasks(judge: JudgeAll) -> None:
    plan = make_plan("quickstart", names="short", preset="small")
    files = write_files(build_benchmark(plan, load_corpus(plan.tasks, Path.cwd()), judge))
    for name in ("changes.toml", "tasks.jsonl"):
        assert drop_python((FOLDER / name).read_text("utf-8")) == drop_python(files[name])


def test_the_suite_asks_for_every_task_and_every_change() -> None:
    assert read_suite(FOLDER / "suite.toml").name == "tiny-migration"
    rows = [json.loads(line) for line in (FOLDER / "tasks.jsonl").read_text("utf-8").splitlines()]
    changes = read_change_file(FOLDER / "changes.toml")
    assert tuple(change.old for change in changes) == TINY_SOLVES
    subsets = [next(tag for tag in row["tags"] if tag.startswith("subset:")) for row in rows]
    for subset, least in (("reliability", 12), ("generalisation", 12), ("specificity", 16)):
        assert subsets.count(f"subset:{subset}") >= least
    for change in changes:
        own = [row for row in rows if f"api:{change.old}" in row["tags"] and "api_changes" in row]
        assert len(own) >= 2, change


def test_the_new_names_are_short_in_the_tokens_of_the_model() -> None:
    found = spell_changes(
        read_change_file(FOLDER / "changes.toml"),
        open_tokenizer(Choices(model="tiny"), Settings()),
    )
    assert found is not None
    assert max(name.tokens for name in found.names) <= 3
    assert found.median <= 2
