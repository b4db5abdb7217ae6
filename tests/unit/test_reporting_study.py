"""A study as text: one table at 80 columns, its words, and nothing foreign that moves a cursor."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.study_results import make_arm, make_study
from support.study_variants import HOSTILE, make_hostile_study, make_successive_study

from pytest_coderobust.metrics.attribution import FEW
from pytest_coderobust.migration.study.result import StudyResult
from pytest_coderobust.migration.study.subsets import AdoptionResult, StudyRate
from pytest_coderobust.reporting.study.bars import KINDS, cut_bar
from pytest_coderobust.reporting.study.curves import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    list_ticks,
    make_charts,
    place_share,
)
from pytest_coderobust.reporting.study.figures import (
    NARROW,
    WIDE,
    format_percent,
    format_points,
    format_share,
)
from pytest_coderobust.reporting.study.rows import make_main_table
from pytest_coderobust.reporting.study.terminal import render_study

SHARES = st.floats(0, 1)
STUDIES = {
    "instant": make_study(),
    "successive": make_successive_study(),
    "hostile": make_hostile_study(),
}


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
@pytest.mark.parametrize("name", STUDIES)
def test_it_fits_80_columns_in_any_encoding(name: str, encoding: str) -> None:
    text = render_study(STUDIES[name], encoding=encoding)
    assert text.encode(encoding)
    assert max(map(len, text.split("\n"))) <= 80
    assert all(line.isprintable() for line in text.split("\n"))


def test_the_first_table_has_the_figures_of_the_study() -> None:
    study = make_study()
    table = make_main_table(study, WIDE)
    none, lora = (dict(zip(table.headings, row, strict=True)) for row in table.rows)
    assert (none["arm"], none["taught"], none["lost (95%)"], none["s"]) == (
        "none",
        "0%",
        "\u2013",
        "\u2013",
    )
    # 5 of 12 answers adopt, 6 pass; 2 of 12 pairs are lost, by one of two edits.
    assert lora == {
        "arm": "lora", "taught": "42%", "elsewhere (95%)": "42%", "passes": "50%", "old": "25%",
        "lost (95%)": "17%", "edits": "1/2", "s": "2",
    }  # fmt: skip
    text = render_study(study)
    for row in table.rows:
        assert " ".join(row) in " ".join(text.split()), row


def test_every_word_of_the_first_table_is_explained() -> None:
    text = render_study(make_study())
    for word in ("taught", "elsewhere", "passes", "old", "lost", "edits", "(95%)"):
        assert any(line.startswith(f"{word} ") for line in text.split("\n")), word
    assert "of the 6 other tasks" in text  # |S| beside the share of edits
    assert "none: the model under none" in text
    assert "1 of 2 edits were not made: the edit moved nothing" in " ".join(text.split())
    assert "gate stale[none] <= 0.05  fails  measured 0.25" in text


def test_failures_are_told_by_stage() -> None:
    lines = render_study(make_study()).split("\n")
    at = lines.index("Where answers end, elsewhere")
    assert re.split(r"\s{2,}", lines[at + 1]) == [
        "arm", "does not parse", "does not load", "misses a name", "is wrong", "passes",
    ]  # fmt: skip
    # 12 parse, 11 load, 6 of them find every name and pass.
    assert lines[at + 4].split() == ["lora", "0", "1", "5", "0", "6"]


def test_what_is_not_there_is_not_shown() -> None:
    study = make_study()
    bare = replace(study.arms[0].final, subsets=study.arms[0].final.subsets[:1], regressions=None)
    arms = (replace(study.arms[0], checkpoints=(bare,)),)
    text = render_study(replace(study, arms=arms, specificity=0, before=(), gates=()))
    assert "elsewhere that" not in text
    assert "Where answers end" not in text
    assert "before the changes" not in text
    assert "gate " not in text
    row = next(line for line in text.split("\n") if line.startswith("none ") and "%" in line)
    assert row.split() == ["none", "0%", "\u2013", "\u2013", "\u2013", "\u2013", "\u2013", "\u2013"]


def test_foreign_text_is_escaped() -> None:
    text = render_study(make_hostile_study())
    assert HOSTILE not in text
    assert "\\u202e" in text


def test_an_interval_of_few_groups_is_marked() -> None:
    rate = StudyRate(0.5, 0.25, 0.75)
    assert format_share(rate, FEW, WIDE) == "50% (25\u201375)"
    assert format_share(rate, FEW - 1, NARROW) == "50% (25-75)*"
    assert format_share(StudyRate(0.5), 2, WIDE) == "50%"
    assert format_share(None, 2, WIDE) == "\u2013"
    assert format_points(StudyRate(-0.21, -0.4, 0.001), FEW, WIDE) == "\u221221 (\u221240 to 0)"
    assert format_points(StudyRate(0.004), 2, WIDE) == "0"


@given(st.lists(st.integers(0, 40), min_size=5, max_size=5).filter(any))
def test_a_bar_is_cut_without_a_gap(counts: list[int]) -> None:
    correct, incorrect, workaround, stale, other = counts
    none = StudyRate(0.0)
    adoption = AdoptionResult(correct, incorrect, workaround, stale, other, none, none)
    parts = list(cut_bar(adoption))
    assert {part.kind: part.samples for part in parts} == {
        kind: count for kind, count in zip(KINDS, counts, strict=True) if count
    }
    at = 0.0
    for part in parts:
        assert part.start == pytest.approx(at, abs=0.011)
        assert part.width == pytest.approx(100 * part.samples / sum(counts), abs=0.011)
        at = part.start + part.width
    assert at == pytest.approx(100)


@given(SHARES, SHARES)
def test_a_higher_share_stands_higher(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert TOP <= place_share(high) <= place_share(low) <= BOTTOM
    assert 0 <= int(format_percent(low)[:-1]) <= int(format_percent(high)[:-1]) <= 100


@given(st.integers(0, 500))
def test_ticks_lie_on_the_axis(most: int) -> None:
    ticks = list(list_ticks(most))
    assert ticks[0] == (0, LEFT)
    assert len(ticks) <= 6
    assert all(LEFT <= x <= RIGHT and edits <= most for edits, x in ticks)


def test_a_curve_has_every_checkpoint_of_every_arm() -> None:
    study = make_successive_study()
    charts = {chart.title: chart for chart in make_charts(study)}
    assert list(charts) == ["taught: new", "elsewhere: new", "taught", "elsewhere", "untouched"]
    for chart in charts.values():
        assert [line.arm for line in chart.lines] == [arm.name for arm in study.arms]
        for line, arm in zip(chart.lines, study.arms, strict=True):
            assert len(line.points) == len(arm.checkpoints)
    # The last of ten edits stands at the right end, and a share of 0 at the bottom.
    assert charts["untouched"].lines[1].points[-1] == (RIGHT, BOTTOM)
    assert make_charts(make_study()) == ()


def test_the_same_study_is_the_same_text() -> None:
    def render(study: StudyResult) -> str:
        return render_study(replace(study, arms=(*study.arms, make_arm("rome", 3, 1))))

    assert render(make_study()) == render(make_study())
