"""The items that a page of a large run holds: the failing ones, the same number of each condition."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.metrics_runs import Outcome
from support.report_runs import make_report

from pytest_coderobust.reporting.html import render
from pytest_coderobust.reporting.html.selection import find_share
from pytest_coderobust.results.conclusion import SuiteReport

TASKS = 12


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> SuiteReport:
    """12 tasks: 2 are never solved, 6 are broken by C1, 2 of those by W1, 2 have no variant."""
    table: dict[str, dict[str, Outcome]] = {}
    for number in range(TASKS):
        clean = int(number >= 2)
        c1: Outcome = "skip" if number >= 10 else int(not clean or number >= 8)
        table[f"T/{number}"] = {"clean": clean, "C1-s0": c1, "W1-s0": int(number not in (4, 7))}
    return make_report(tmp_path_factory.mktemp("page"), table)


def read_page(page: str) -> dict[str, Any]:
    """The suite that the page's script shows."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert found is not None
    (suite,) = json.loads(found[1])["suites"]
    return dict(suite)


def list_held(suite: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (task, cell[0], letter)
        for cell, column in zip(suite["cells"], suite["grid"], strict=True)
        for task, letter in zip(suite["tasks"], column, strict=True)
        if letter != "-"
    ]


def test_a_page_of_as_many_items_as_it_may_hold_is_as_before(report: SuiteReport) -> None:
    items = len(report.run.observations)
    page = render([report], most=items)
    assert page == render([report])
    assert "This page holds" not in page
    assert len(list_held(read_page(page))) == items == 3 * TASKS


def test_a_larger_run_keeps_all_that_fails_and_counts_the_rest(report: SuiteReport) -> None:
    page = render([report], most=3 * TASKS - 1)
    suite = read_page(page)
    assert list_held(suite) == [
        ("T/0", "clean", "u"), ("T/1", "clean", "u"),
        *((f"T/{number}", "C1-s0", "b") for number in range(2, 8)),
        ("T/4", "W1-s0", "b"), ("T/7", "W1-s0", "b"),
    ]  # fmt: skip
    told = "This page holds 10 of 36 items, all that fail"
    assert told in page
    assert "; 26 were left out." in page
    assert page.count("PARTIAL") == 0
    # The evidence is that of the same tasks.
    block = json.loads(re.findall(r'id="block-0">(.*?)</script>', page)[0])
    shown = {suite["tasks"][int(row)]: set(held["v"]) for row, held in block.items()}
    assert shown["T/4"] == {"1", "2"}
    assert shown["T/2"] == {"1"}
    assert set(shown) == {f"T/{number}" for number in range(8)}


def test_too_many_failing_ones_are_dealt_evenly_among_conditions(report: SuiteReport) -> None:
    page = render([report], most=7)
    held = [cell for _, cell, _ in list_held(read_page(page))]
    assert {cell: held.count(cell) for cell in held} == {"clean": 2, "C1-s0": 3, "W1-s0": 2}
    assert "This page holds 7 of 36 items, the first of 10 that fail" in page
    assert "; 29 were left out." in page


def test_numbers_are_of_all_items(report: SuiteReport) -> None:
    """Everything above the task browser stays."""
    whole, cut = (render([report], most=most).split('<section id="browser"')[0] for most in (99, 5))
    assert cut == whole


def test_several_suites_share_the_page(report: SuiteReport) -> None:
    page = render([report, report], most=2 * 3 * TASKS - 1)
    assert page.count("This page holds 10 of 36 items") == 2


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.integers(0, 60))
def test_a_share_is_the_largest_that_fits(sizes: list[int], most: int) -> None:
    share = find_share(sizes, most)

    def held(each: int) -> int:
        return sum(min(size, each) for size in sizes)

    assert held(share) <= most
    assert held(share + 1) > most or held(share) == sum(sizes)
