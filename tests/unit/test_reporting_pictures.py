"""The pictures of the page: places are the numbers, on one scale, whatever the numbers are."""

from __future__ import annotations

from math import isclose
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.metrics_runs import Outcome, suite_run
from support.report_runs import make_report

from pytest_coderobust.metrics.clean_pairs import CleanPairs, pair_conditions
from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.metrics.summary import summarise
from pytest_coderobust.reporting.html.headline import make_headline
from pytest_coderobust.reporting.html.pairs import (
    SHOWN,
    choose_shown,
    draw_spot,
    fit_flips,
    make_pair_row,
)
from pytest_coderobust.reporting.html.panels import (
    BOTTOM,
    LEFT,
    MOST_MARKS,
    MOST_TICKS,
    RIGHT,
    TOP,
    choose_marks,
    fit_axis,
    place_turn,
)

values = st.lists(st.floats(-1000, 1000, allow_nan=False), max_size=6)


@given(values)
def test_an_axis_holds_its_values_between_few_ticks(found: list[float]) -> None:
    axis = fit_axis(found)
    ticks = list(axis.list_ticks())
    assert 2 <= len(ticks) <= MOST_TICKS + 1
    assert len({text for text, _ in ticks}) == len(ticks)
    assert [place for _, place in ticks] == sorted((place for _, place in ticks), reverse=True)
    assert (ticks[0][1], ticks[-1][1]) == (BOTTOM, TOP)
    for text, place in ticks:
        assert axis.place(float(text)) == pytest.approx(place, abs=1e-6)
    for value in found:
        assert axis.low - 1e-6 * axis.step <= value <= axis.high + 1e-6 * axis.step
        share = (BOTTOM - axis.place(value)) / (BOTTOM - TOP)
        assert isclose(axis.low + share * (axis.high - axis.low), value, abs_tol=axis.step / 50)


def test_values_beyond_an_axis_are_drawn_at_its_end() -> None:
    axis = fit_axis([0.0, 0.4])
    assert (axis.place(-7.0), axis.place(7.0)) == (BOTTOM, TOP)


@given(st.integers(1, 200))
def test_turns_are_in_order_and_the_last_is_marked(turns: int) -> None:
    places = [place_turn(turn, turns) for turn in range(turns)]
    assert places == sorted(set(places))
    assert LEFT < places[0] <= places[-1] < RIGHT
    marks = choose_marks(turns)
    assert marks == sorted(set(marks))
    assert marks[-1] == turns - 1
    assert marks[0] >= 0
    assert len(marks) <= MOST_MARKS


def pair(name: str, broken: int, fixed: int, rest: int, rd: float | None = 0.1) -> CleanPairs:
    known = Estimate(0.5, 0.4, 0.6)
    loss = None if rd is None else Estimate(rd, rd, rd)
    return CleanPairs(name, "perturbation", 1, 9, known, known, loss, rest, broken, fixed, 0)


counts = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 30))


@settings(deadline=None)
@given(st.lists(counts, min_size=1, max_size=6))
def test_flip_bars_are_as_long_as_the_shares(found: list[tuple[int, int, int]]) -> None:
    pairs = [pair(str(n), *each) for n, each in enumerate(found)]
    middle, scale = fit_flips(pairs)
    for each in pairs:
        bar = make_pair_row(each, middle, scale).flips
        assert 0 <= bar.broken_from <= bar.middle <= bar.fixed_to <= 100
        assert bar.middle - bar.broken_from == pytest.approx(
            scale * each.broken / each.items, abs=0.02
        )
        assert bar.fixed_to - bar.middle == pytest.approx(scale * each.fixed / each.items, abs=0.02)


def test_spots_lie_where_the_rates_are() -> None:
    spot = draw_spot(Estimate(0.8488, 0.793, 0.892))
    assert (spot.text, spot.value, spot.low, spot.high) == ("0.849", 84.88, 79.3, 89.2)


def test_many_perturbations_leave_those_that_lose_most() -> None:
    pairs = [pair(f"P{n}", 1, 1, 8, n / 100 if n else None) for n in range(SHOWN + 5)]
    shown = [each.condition for each in choose_shown(pairs)]
    assert shown == [f"P{n}" for n in range(5, SHOWN + 5)]
    table: dict[str, dict[str, Outcome]] = {
        "T/0": {"clean": 1, **{f"P{n}-s0": 1 for n in range(SHOWN + 5)}}
    }
    run = suite_run(table)
    every = choose_shown(pair_conditions(run, summarise(run).conditions))
    assert [each.condition for each in every if each.kind != "perturbation"] == ["character", "all"]


def test_where_nothing_is_solved_rd_says_nothing(tmp_path: Path) -> None:
    report = make_report(tmp_path, {f"T/{n}": {"clean": 0, "C1-s0": n} for n in range(2)})
    head = make_headline(report, report.pair_clean())
    assert (head.word, head.why) == ("Measured", "no gate decides")
    cards = {card.name: (card.value, card.about) for card in head.cards}
    assert cards["perturbed pass@1"][0] == "0.500"
    assert cards["RD"] == ("\u2013", "says nothing: no clean prompt is solved")


@pytest.mark.parametrize(
    ("gates", "word", "why"),
    [
        (["pass@1 >= 0.5"], "Holds", "the gate holds"),
        (["pass@1 >= 0.5", "rd <= 0.9"], "Holds", "all 2 gates hold"),
        (["rd <= 0.1", "pass@1 >= 0.5", "rd[C1] <= 0.2"], "Fails", "2 of 3 gates: rd <= 0.1 (measured 0.5)"),
    ],
)  # fmt: skip
def test_the_verdict_is_one_sentence(
    tmp_path: Path, gates: list[object], word: str, why: str
) -> None:
    report = make_report(
        tmp_path, {f"T/{n}": {"clean": 1, "C1-s0": n} for n in range(2)}, None, *gates
    )
    head = make_headline(report, report.pair_clean())
    assert (head.word, head.why) == (word, why)
    assert (head.model, head.fingerprint) == ("tiny", "0123456789ab")
