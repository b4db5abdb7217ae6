"""Lines that the prompt gave, statements that count, and results that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.engine.quality import (
    WrittenSolution,
    count_given,
    count_statements,
    judge_quality,
    make_solution,
)
from pytest_coderobust.errors import MissingExtra, UsageError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.linters import linter as linters
from pytest_coderobust.linters.pylint import Pylint
from pytest_coderobust.linters.ruff import Ruff
from pytest_coderobust.records import Cell, Task, Tests
from pytest_coderobust.records.lint import LintedSource

PROMPT = 'import re\n\n\ndef f(a, unused):\n    """Doc."""\n'
TASK = Task("T/0", PROMPT, "f", Tests("", "check"))


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (PROMPT + "    return a\n", 5),
        ("import re\n\n\ndef f(a, b):\n    return a\n", 3),
        ("def f(a):\n    return a\n", 0),
        (PROMPT, 5),
    ],
)
def test_lines_of_the_prompt_are_those_word_for_word(source: str, lines: int) -> None:
    assert count_given(source, PROMPT) == lines


def test_a_prompt_that_ends_in_a_line_leaves_that_line_to_the_model() -> None:
    assert count_given("def f():\n    return 1\n", "def f():\n    return") == 1


@given(st.text("ab \n", max_size=30), st.text("ab \n", max_size=30))
def test_what_follows_a_prompt_of_whole_lines_is_the_models(head: str, tail: str) -> None:
    prompt = f"{head}\n"
    assert count_given(prompt + tail, prompt) == prompt.count("\n")


def test_statements_below_the_prompt_count() -> None:
    source = PROMPT + "    if a:\n        return 1\n    return 2\n"
    assert count_statements(source) == 6
    assert count_statements(source, 5) == 3
    assert count_statements("def f(:\n") == 0


def judge(folder: Path, *, paper: bool, linter: Pylint | None = None) -> dict[str, int]:
    solution = make_solution(
        TASK, Cell(), PROMPT + "    b = re  \n    return a  \n\n\n", passed=True
    )
    ledger = Ledger(folder / "ledger.sqlite")
    (found,) = judge_quality([solution], linter or Pylint(), ledger, paper=paper)
    ledger.close()
    assert found.lines == (5 if paper else 2)
    assert found.statements == (5 if paper else 2)
    return {remark.code: remark.line for remark in found.remarks}


@dataclass(frozen=True, slots=True)
class NoLinter(Pylint):
    """Pylint that may not be started."""

    def make_command(self, folder: str) -> list[str]:
        raise AssertionError(folder)


def test_messages_of_the_prompt_are_left_out_and_the_paper_counts_them(tmp_path: Path) -> None:
    ours = judge(tmp_path, paper=False)
    assert ours == {"W0612": 6, "C0303": 6}
    # Read back from the ledger: neither way starts the program again.
    assert judge(tmp_path, paper=False, linter=NoLinter()) == ours
    theirs = judge(tmp_path, paper=True, linter=NoLinter())
    assert theirs == ours | {"C0114": 1, "W0613": 4}


def test_another_version_or_configuration_is_judged_anew(tmp_path: Path) -> None:
    judge(tmp_path, paper=False)
    with pytest.raises(AssertionError):
        judge(tmp_path, paper=False, linter=NoLinter(options=("--other",)))


def test_equal_sources_are_judged_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def lint_all(_linter: object, sources: Mapping[str, str]) -> list[dict[str, LintedSource]]:
        asked.append(len(sources))
        return [{name: LintedSource() for name in sources}]

    monkeypatch.setattr("pytest_coderobust.engine.quality.lint_all", lint_all)
    one = WrittenSolution("T/0", Cell(), "a = 1\n", 0, passed=True)
    two = WrittenSolution("T/1", Cell("C1", 0), "a = 1\n", 0, passed=False)
    found = judge_quality([one, two], Pylint(), Ledger(tmp_path / "l.sqlite"), paper=False)
    assert asked == [1]
    assert [(each.task_id, each.passed) for each in found] == [("T/0", True), ("T/1", False)]


def test_a_linter_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_name: str) -> None:
        return None

    for module in ("pylint", "ruff"):
        monkeypatch.setattr(f"pytest_coderobust.linters.{module}.find_distribution", none)
    with pytest.raises(MissingExtra, match="the optional extra 'quality'"):
        Pylint().find_version()
    with pytest.raises(UsageError, match="pip install ruff"):
        Ruff().find_version()
    assert linters.find_distribution("no-such-distribution") is None
