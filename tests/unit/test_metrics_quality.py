"""Quality of solutions in numbers, against counts by hand and a second way of computing."""

from __future__ import annotations

from statistics import fmean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.metrics_runs import Outcome, suite_run

from pytest_coderobust.metrics.quality import summarise_quality
from pytest_coderobust.metrics.quality_groups import measure_group, score
from pytest_coderobust.metrics.quality_numbers import (
    ConditionQuality,
    QualitySummary,
    SolutionQuality,
)
from pytest_coderobust.metrics.quality_taxonomy import TIERS, find_category, find_tier
from pytest_coderobust.metrics.summary import summarise
from pytest_coderobust.records import Cell
from pytest_coderobust.records.lint import LintRemark, LintTrouble

CODES = ("E0602", "E1120", "W0612", "W0603", "R0912", "R1705", "C0103", "C0301", "I0011")
TABLE: dict[str, dict[str, Outcome]] = {f"T/{i}": {"clean": 1, "C1-s0": 1} for i in range(3)}


def made(
    task: str = "T/0",
    *codes: str,
    cell: Cell | None = None,
    passed: bool = True,
    trouble: LintTrouble = "",
    lines: int = 10,
    statements: int = 10,
) -> SolutionQuality:
    remarks = tuple(LintRemark(1, code) for code in codes)
    return SolutionQuality(task, cell or Cell(), passed, trouble, lines, statements, remarks)


def summarised(*solutions: SolutionQuality) -> QualitySummary:
    conditions = summarise(suite_run(TABLE)).conditions
    return summarise_quality(solutions, conditions, tool="pylint", version="1", paper=False)


def of(summary: QualitySummary, name: str) -> ConditionQuality:
    return next(each for each in summary.conditions if each.name == name)


@pytest.mark.parametrize(
    ("codes", "statements", "expected"),
    [
        ((), 10, 10.0),
        (("W0612",), 10, 9.0),
        (("E0602", "W0612", "R1705", "C0103"), 10, 2.0),
        (("E0602", "E0602", "E0602"), 10, 0.0),
        (("I0011",), 10, 10.0),
        ((), 0, None),
    ],
)
def test_score_is_pylints_formula(
    codes: tuple[str, ...], statements: int, expected: float | None
) -> None:
    assert score(made("T/0", *codes, statements=statements), "pylint") == expected


def test_a_syntax_error_scores_nothing_and_ruff_has_no_score() -> None:
    assert score(made(trouble="syntax"), "pylint") == 0.0
    assert score(made(), "ruff") is None


def test_tiers_are_the_papers_and_others_are_in_the_middle() -> None:
    wanted = {
        "E1120": "error 1",
        "E0602": "error 2",
        "W0718": "warning 1",
        "W0612": "warning 2",
        "W0603": "warning 3",
        "R0915": "refactor high",
        "R1705": "refactor low",
        "C0103": "convention high",
        "C0303": "convention low",
    }
    assert {code: find_tier(find_category("pylint", code), code) for code in wanted} == wanted
    assert set(wanted.values()) == {tier for own in TIERS.values() for tier in own}


def test_syntax_errors_stand_alone_and_the_rest_is_of_what_parses() -> None:
    perturbed = Cell("C1", 0)
    found = summarised(
        made("T/0", "W0612"),
        made("T/1", trouble="syntax", passed=False),
        made("T/1", "E0602", "E0602", passed=False, lines=30),
        made("T/2", trouble="unjudged", passed=False),
        made("T/0", "W0612", "W0612", cell=perturbed),
    )
    clean = of(found, "clean")
    assert (clean.judged, clean.syntax, clean.unjudged) == (3, 1, 1)
    assert clean.syntax_share is not None
    assert clean.syntax_share.value == 0.25  # a mean over tasks: 0 and 1/2
    assert (clean.parsing.solutions, clean.parsing.lines) == (2, 40)
    rates = {name: rate.value for name, rate in clean.parsing.rates.items() if rate}
    assert rates == {"error": 5.0, "warning": 2.5, "refactor": 0.0, "convention": 0.0}
    assert clean.parsing.tiers["warning 2"] == 2.5
    assert clean.parsing.top[0].code == "E0602"
    assert clean.passing.solutions == 1
    assert clean.passing.rates["error"] is not None
    assert clean.passing.rates["error"].value == 0.0
    assert clean.paired is None


def test_pairs_are_passing_solutions_of_tasks_solved_in_both() -> None:
    perturbed = Cell("C1", 0)
    found = summarised(
        made("T/0", "W0612"),
        made("T/0", *["E0602"] * 9, passed=False),
        made("T/1"),
        made("T/2"),
        made("T/0", "W0612", "W0612", cell=perturbed),
        made("T/1", "C0103", cell=perturbed, lines=20),
        made("T/2", "E0602", cell=perturbed, passed=False),
    )
    pair = of(found, "C1").paired
    assert pair is not None
    assert pair.tasks == 2
    changes = {each.measure: each for each in pair.changes}
    assert changes["error"].change.value == 0.0
    assert (changes["warning"].clean, changes["warning"].perturbed) == (5.0, 10.0)
    assert changes["convention"].change.value == 2.5
    assert changes["score"].change.value == -1.0
    assert changes["warning"].change.low is not None
    assert changes["warning"].change.low <= 5.0


def test_nothing_judged_has_no_numbers() -> None:
    clean = of(summarised(), "clean")
    assert (clean.judged, clean.syntax_share) == (0, None)
    assert set(clean.parsing.rates.values()) == {None}
    assert clean.parsing.score is None
    assert of(summarised(), "C1").paired is not None
    assert of(summarised(made()), "clean").parsing.rates["error"] is not None
    figure = of(summarised(made()), "clean").parsing.rates["error"]
    assert figure is not None
    assert figure.low is None  # one task has no interval


solutions_of_tasks = st.lists(
    st.builds(
        lambda task, codes, passed, trouble, lines, statements: made(
            f"T/{task}",
            *(() if trouble else codes),
            passed=passed and not trouble,
            trouble=trouble,
            lines=lines,
            statements=0 if trouble else statements,
        ),
        st.integers(0, 4),
        st.lists(st.sampled_from(CODES), max_size=6),
        st.booleans(),
        st.sampled_from(["", "", "", "syntax", "unjudged"]),
        st.integers(1, 40),
        st.integers(0, 30),
    ),
    max_size=25,
)


@given(st.data())
def test_order_changes_nothing(data: st.DataObject) -> None:
    solutions = data.draw(solutions_of_tasks)
    other = data.draw(st.permutations(solutions))
    assert summarised(*solutions) == summarised(*other)


def test_order_of_tasks_changes_no_interval() -> None:
    solutions = [made(f"T/{i}", *["W0612"] * (i * i), lines=5 + i) for i in range(5)]
    assert summarised(*solutions) == summarised(*reversed(solutions))


@given(solutions_of_tasks)
def test_numbers_are_those_of_a_second_way(solutions: list[SolutionQuality]) -> None:
    found = of(summarised(*solutions), "clean")
    parsing = [each for each in solutions if not each.trouble]
    assert found.judged + found.unjudged == len(solutions)
    assert found.judged == found.syntax + found.parsing.solutions
    assert found.passing.solutions <= found.parsing.solutions
    lines = sum(each.lines for each in parsing)
    for category, letter in (("error", "E"), ("warning", "W"), ("refactor", "R")):
        count = sum(r.code[0] == letter for each in parsing for r in each.remarks)
        rate = found.parsing.rates[category]
        if not lines:
            assert rate is None
            continue
        assert rate is not None
        assert rate.value == pytest.approx(100 * count / lines)
        assert rate.low is None or rate.low <= rate.value <= (rate.high or 0.0)
        tiers = sum(v for name, v in found.parsing.tiers.items() if name.startswith(category))
        assert tiers == pytest.approx(rate.value)
    scores = [value for each in parsing if (value := score(each, "pylint")) is not None]
    assert (found.parsing.score is None) == (not scores)
    if found.parsing.score is not None:
        assert found.parsing.score.value == pytest.approx(fmean(scores))
        assert found.parsing.median_score == median(scores)
        assert 0 <= found.parsing.score.value <= 10


def test_a_group_with_syntax_errors_counts_one_error_each() -> None:
    group = measure_group([made(), made(trouble="syntax", statements=0)], "pylint")
    assert group.rates["error"] is not None
    assert group.rates["error"].value == 5.0
    assert group.score is not None
    assert group.score.value == 5.0
