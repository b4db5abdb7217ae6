"""Pylint's view of 1,640 real completions, against figures that were measured before this code.

Each program is the recording's own prompt and the completion, cut where the reference cut it,
with one line end; every line counts, as the figures were taken.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_coderobust.engine.quality import WrittenSolution, judge_quality
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.linters.pylint import Pylint
from pytest_coderobust.linters.ruff import Ruff
from pytest_coderobust.metrics.quality_groups import measure_group
from pytest_coderobust.metrics.quality_numbers import QualityGroup, SolutionQuality
from pytest_coderobust.records import Cell

pytestmark = pytest.mark.skipif(
    not os.environ.get("CODEROBUST_DATA"), reason="CODEROBUST_DATA names no benchmark data"
)

STEM = "humaneval_codegen16b_t0.8_n10"
STOPS = ("\nclass", "\ndef", "\n#", "\nif", "\nprint", "\n@", "\nassert", '\n"""', "\n'''")
CUT_TASKS = 12

EXPECTED = {
    "all": (1640, 1.90, 4.21, 2.23, 14.4, 4.69, 6.67),
    "passing": (351, 0.03, 1.09, 2.57, 15.1, 7.04, 7.33),
    "failing": (1289, 2.24, 4.79, 2.17, 14.3, 4.05, 5.00),
    "failing, parses": (1208, 1.97, 5.39, 2.45, 16.1, 4.32, 5.71),
    "both: passing": (284, 0.04, 1.0, 2.7, 14.4, 7.11, None),
    "both: failing": (404, 2.11, 6.3, 2.8, 20.3, 4.25, None),
}
"""Files, messages per 100 lines (E, W, R, C), mean and median of the files' scores."""


def read_solutions(folder: Path) -> Iterator[WrittenSolution]:
    with (
        gzip.open(folder / f"{STEM}.jsonl.gz", "rt", encoding="utf-8") as rows,
        gzip.open(folder / f"{STEM}.verdicts.jsonl.gz", "rt", encoding="utf-8") as marks,
    ):
        for row, mark in zip(map(json.loads, rows), map(json.loads, marks), strict=True):
            text = row["completion"]
            text = text[: min((at for stop in STOPS if (at := text.find(stop)) >= 0), default=None)]
            source = f"{row['prompt']}{text.rstrip()}\n"
            lines = row["prompt"].count("\n")
            yield WrittenSolution(row["task_id"], Cell(), source, lines, mark["cut"])


def group(found: Sequence[SolutionQuality]) -> dict[str, QualityGroup]:
    passing = [each for each in found if each.passed]
    failing = [each for each in found if not each.passed]
    parses = [each for each in failing if not each.trouble]
    both = {each.task_id for each in passing} & {each.task_id for each in parses}
    groups = {
        "all": found,
        "passing": passing,
        "failing": failing,
        "failing, parses": parses,
        "both: passing": [each for each in passing if each.task_id in both],
        "both: failing": [each for each in parses if each.task_id in both],
    }
    return {name: measure_group(own, "pylint") for name, own in groups.items()}


@dataclass(frozen=True, slots=True)
class Stopped(Pylint):
    """Pylint that may not be started."""

    def make_command(self, folder: str) -> list[str]:
        raise AssertionError(folder)


@pytest.mark.slow
def test_groups_are_as_measured_before(data: Path, tmp_path: Path) -> None:
    solutions = list(read_solutions(data / "completions"))
    ledger = Ledger(tmp_path / "ledger.sqlite")
    found = judge_quality(solutions, Pylint(), ledger, paper=True)
    assert sum(each.trouble == "syntax" for each in found) == 81
    for name, own in group(found).items():
        n, *rates, mean, median = EXPECTED[name]
        assert own.solutions == n, name
        for rate, expected in zip(own.rates.values(), rates, strict=True):
            assert rate is not None
            assert expected is not None
            digits = 2 if round(expected, 1) != expected else 1
            assert rate.value == pytest.approx(expected, abs=0.51 * 10**-digits), name
        assert own.score is not None
        assert own.score.value == pytest.approx(mean, abs=0.0051), name
        assert median is None or own.median_score == pytest.approx(median, abs=0.0051), name
    assert judge_quality(solutions, Stopped(), ledger, paper=True) == found
    ours = judge_quality(solutions, Stopped(), ledger, paper=False)  # from the same rows
    # More than half of all messages are on lines that no model wrote, or of what is installed.
    assert 2 * sum(len(each.remarks) for each in ours) < sum(len(each.remarks) for each in found)
    assert all(each.lines <= theirs.lines for each, theirs in zip(ours, found, strict=True))


def test_a_few_tasks_show_the_same_order(data: Path, tmp_path: Path) -> None:
    listed = list(read_solutions(data / "completions"))
    tasks = list(dict.fromkeys(each.task_id for each in listed))[:CUT_TASKS]
    solutions = [each for each in listed if each.task_id in tasks]
    ledger = Ledger(tmp_path / "ledger.sqlite")
    found = judge_quality(solutions, Pylint(), ledger, paper=True)
    # Python's own parser is the second opinion about syntax errors.
    broken = [each for each in solutions if not is_valid(each.source)]
    assert broken
    assert [one for one, q in zip(solutions, found, strict=True) if q.trouble] == broken
    groups = group(found)
    passing, failing = groups["passing"].score, groups["failing"].score
    assert passing is not None
    assert failing is not None
    assert passing.value > failing.value + 1
    assert judge_quality(solutions, Stopped(), ledger, paper=True) == found
    quick = judge_quality(solutions, Ruff(), ledger, paper=True)
    assert [each.trouble for each in quick] == [each.trouble for each in found]


def is_valid(source: str) -> bool:
    try:
        compile(source, "solution", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True
