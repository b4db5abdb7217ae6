"""The page of a study: one file that needs nothing else, makes no request and runs no script."""

from __future__ import annotations

from pytest_coderobust.migration.study.result import StudyResult
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.html import read_asset, render_template, write_style_policy
from pytest_coderobust.reporting.study.bars import KIND_WORDS, AdoptionBar, make_bars
from pytest_coderobust.reporting.study.curves import BOTTOM, LEFT, RIGHT, make_charts, place_share
from pytest_coderobust.reporting.study.figures import SUBSET_WORDS, WIDE, format_percent
from pytest_coderobust.reporting.study.rows import explain_main_table, make_main_table
from pytest_coderobust.reporting.study.tables import list_tables
from pytest_coderobust.reporting.study.words import (
    LINE,
    describe_study,
    explain_arm,
    explain_study_gate,
    list_changes,
)

GRID = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares that have a line in a chart."""


def render_study_page(result: StudyResult) -> str:
    """Renders a study as one HTML document."""
    from importlib.resources import files

    here = files("pytest_coderobust.reporting.study")
    style = read_asset("style.css") + here.joinpath("study.css").read_text(encoding="utf-8")
    return render_template(
        here.joinpath("study.html").read_text(encoding="utf-8"),
        style=style,
        policy=write_style_policy(style),
        title=f"{escape(result.model, LINE)} on {escape(result.suite, LINE)}",
        about=tuple(describe_study(result)),
        gates=[
            (gate.outcome, escape(gate.text, LINE), explain_study_gate(gate))
            for gate in result.gates
        ],
        notes=[escape(note, LINE) for note in result.notes],
        main=make_main_table(result, WIDE),
        words=explain_main_table(result),
        bars=_list_bars(result),
        kinds=KIND_WORDS,
        charts=make_charts(result),
        grid=[(format_percent(share), place_share(share)) for share in GRID],
        axes={"left": LEFT, "right": RIGHT, "bottom": BOTTOM},
        tables=tuple(list_tables(result, WIDE)),
        arms=[(escape(arm.name, LINE), explain_arm(arm)) for arm in result.arms],
        changes=tuple(list_changes(result)),
    )


def _list_bars(result: StudyResult) -> list[tuple[str, tuple[AdoptionBar, ...]]]:
    return [
        (SUBSET_WORDS[subset], bars)
        for subset in SUBSET_WORDS
        if (bars := make_bars(result, subset))
    ]
