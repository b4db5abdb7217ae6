# ruff: noqa: RUF001  (the report is typeset: dashes and the multiplication sign are its own)
from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.metrics_runs import Outcome, result_of, suite_run

from pytest_coderobust.gates import switch_off
from pytest_coderobust.records import ModelIdentity, SuiteRun
from pytest_coderobust.reporting.terminal.report import render
from pytest_coderobust.results.result import DecidedRun


def humaneval_like() -> SuiteRun:
    """164 tasks, three perturbations, two seeds: one task unusable, some skipped."""
    table: dict[str, dict[str, Outcome]] = {}
    for i in range(164):
        clean = int(i % 3 == 0)
        row: dict[str, Outcome] = {"clean": clean}
        for j, name in enumerate(("C1", "C2", "W1")):
            for seed in range(2):
                row[f"{name}-s{seed}"] = "skip" if i % 40 == j else int(clean and i % 5 > j - seed)
        table[f"HumanEval/{i}"] = row
    table["HumanEval/163"] = dict.fromkeys(table["HumanEval/0"], "unusable")
    levels = {"C1": "character", "C2": "character", "W1": "word"}
    return suite_run(table, levels=levels, notes=("two recorded files were empty: A1, E5",))


EXPECTED = """\
suite toy
model tiny  0123456789ab
      dtype: float32
plan  164 tasks × (clean + 6 variants), sandbox rlimits
drawn n=1, greedy, at most 512 tokens

condition   tasks       pass@1 (95%)           RD (95%)  skipped
────────────────────────────────────────────────────────────────
clean         163  0.337 (0.27–0.41)
C1            158  0.307 (0.24–0.38)  0.085 (0.03–0.14)       10
C2            158  0.241 (0.18–0.31)  0.296 (0.19–0.41)       10
W1            158  0.168 (0.12–0.23)  0.500 (0.37–0.62)       10
 character    163  0.268 (0.21–0.34)  0.205 (0.12–0.29)       20
 all          163  0.236 (0.18–0.30)  0.300 (0.21–0.39)       30

condition   s  robust  broken  unsolved      robust pass@1   drop  relative
───────────────────────────────────────────────────────────────────────────
clean                               108
C1          2      97       9       210  0.278 (0.21–0.35)  0.170     0.057
C2          2      76      32       208  0.209 (0.15–0.28)  0.389     0.133
W1          2      53      53       210  0.139 (0.09–0.20)  0.585     0.196
 character  4     173      41       418  0.209 (0.15–0.28)  0.382     0.129
 all        6     226      94       628  0.147 (0.10–0.21)  0.564     0.190

"""


def test_report_of_a_suite_at_80_columns() -> None:
    text = render([result_of(humaneval_like(), "rd[C1] <= 0.15", "broken <= 10")], 80, colour=False)
    assert text.startswith(EXPECTED)
    assert max(map(len, text.split("\n"))) <= 80
    assert text.endswith(
        "note  two recorded files were empty: A1, E5\n"
        "skipped: 30 no eligible site\n"
        "unusable HumanEval/163: its canonical solution fails\n"
        "gate holds       rd[C1] <= 0.15  (measured 0.08491)\n"
        "gate fails       broken <= 10  (measured 94)\n"
    )


def test_without_colour_there_is_no_escape_character_whatever_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = [result_of(humaneval_like(), "rd[C1] <= 0.15")]
    plain = render(runs, 80, colour=False)
    assert "\x1b" not in plain
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "CLICOLOR_FORCE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("COLUMNS", "33")
    assert render(runs, 80, colour=False) == plain


def test_colour_only_adds_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    runs = [result_of(humaneval_like(), "rd[C1] <= 0.15")]
    coloured = render(runs, 80, colour=True)
    assert "\x1b[32mholds" in coloured
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    trimmed = "\n".join(line.rstrip() for line in stripped.split("\n"))
    assert trimmed == render(runs, 80, colour=False)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_stream_that_cannot_encode_the_glyphs_gets_ascii(encoding: str) -> None:
    run = replace(humaneval_like(), notes=("漢字",))
    text = render([result_of(run, "rd[C1] <= 0.15")], 80, colour=False, encoding=encoding)
    assert "─" not in text
    assert "----" in text
    assert r"note  \u6f22\u5b57" in text
    text.encode(encoding)


def test_undefined_rd_is_shown_as_a_dash() -> None:
    run = suite_run({"T/0": {"clean": 0, "C1-s0": 1}})
    rows = [line.split() for line in render([result_of(run)], 80, colour=False).split("\n")]
    first, worst = (row for row in rows if row[:1] == ["C1"])
    assert first == ["C1", "1", "1.000", "(0.21–1.00)", "–", "0"]
    assert worst == ["C1", "1", "0", "0", "1", "1.000", "(0.21–1.00)", "–", "1.000"]


def test_level_and_all_have_rows_only_where_they_pool_something_else() -> None:
    one = render([result_of(suite_run({"T/0": {"clean": 1, "C1-s0": 1}}))], 80, colour=False)
    assert "character" not in one
    assert "  all" not in one


def test_larger_k_gets_a_table_of_its_own() -> None:
    run = suite_run(
        {"T/0": {"clean": 4, "C1-s0": 2}, "T/1": {"clean": 0, "C1-s0": 0}}, n=4, ks=(1, 2)
    )
    text = render([result_of(run)], 80, colour=False)
    headings = [line.split() for line in text.split("\n") if line.startswith("condition")]
    assert [row[-4:] for row in headings] == [
        ["(95%)", "RD", "(95%)", "skipped"],
        ["robust", "pass@1", "drop", "relative"],
        ["robust", "pass@2", "drop", "relative"],
    ]
    assert headings[2][2:5] == ["pass@2", "(95%)", "RD"]
    assert max(map(len, text.split("\n"))) <= 80


def test_partial_run_is_marked() -> None:
    run = suite_run({"T/0": {"clean": 1, "C1-s0": 1}}, incomplete="1 of 4 items deselected")
    text = render([result_of(run, "rd <= 0.1")], 80, colour=False)
    assert "PARTIAL: 1 of 4 items deselected\n" in text
    assert "gate not judged  rd <= 0.1  (measured 0): 1 of 4 items deselected\n" in text


def test_run_without_any_observation_is_told_as_partial() -> None:
    run = replace(suite_run({"T/0": {"clean": 1, "C1-s0": 1}}), observations=())
    text = render([result_of(run, "rd <= 0.1")], 80, colour=False)
    assert "PARTIAL: 2 of 2 items not measured\n" in text
    assert ["clean", "0", "–"] in [line.split() for line in text.split("\n")]
    assert "gate not judged  rd <= 0.1: 2 of 2 items not measured\n" in text


def test_gates_switched_off_say_so() -> None:
    result = result_of(suite_run({"T/0": {"clean": 1, "C1-s0": 0}}), "rd <= 0.1")
    text = render([replace(result, gates=switch_off(result.gates))], 80, colour=False)
    assert "gate off         rd <= 0.1  (measured 1)\n" in text


def test_unchecked_and_truncated_are_told() -> None:
    run = suite_run({f"T/{i}": {"clean": 1} for i in range(12)})
    observations = tuple(replace(o, checked=False, truncated=1) for o in run.observations)
    text = render([result_of(replace(run, observations=observations))], 80, colour=False)
    assert "unchecked (no canonical solution): T/0, T/1," in text
    assert "and 2 more" in text
    assert "truncated: the token limit ended 12 of 12 completions\n" in text
    assert "plan  12 tasks, clean only, sandbox rlimits\n" in text


def test_more_unusable_tasks_than_fit_are_counted() -> None:
    table: dict[str, dict[str, Outcome]] = {f"T/{i}": {"clean": "unusable"} for i in range(13)}
    text = render([result_of(suite_run(table))], 80, colour=False)
    assert text.count("its canonical solution fails") == 10
    assert "unusable: 3 more tasks\n" in text


def test_nothing_renders_as_nothing() -> None:
    assert render([], 80, colour=False) == ""


def hostile(text: str) -> DecidedRun:
    table: dict[str, dict[str, Outcome]] = {
        f"{text}/0": {"clean": 1, f"{text}-s0": 0},
        f"{text}/1": {"clean": "unusable", f"{text}-s0": "unusable"},
    }
    run = suite_run(table, notes=(text,), model=ModelIdentity(text, text, {text: text}))
    return result_of(replace(run, suite=text, incomplete=text, tier=text))


@settings(max_examples=50)
@given(st.text(st.characters(codec=None), min_size=1), st.integers(20, 200))
def test_hostile_text_never_reaches_the_terminal_raw(text: str, width: int) -> None:
    shown = render([hostile(text)], width, colour=False)
    assert shown.replace("\n", "").isprintable()
    shown.encode("utf-8")


def test_markup_and_links_are_text() -> None:
    text = "[link=https://example.org][bold]:smile:[/bold]"
    assert text in render([hostile(text)], 200, colour=False)
    assert text in render([hostile(text)], 200, colour=True)


def test_narrow_terminal_never_cuts_a_number() -> None:
    runs = [result_of(humaneval_like(), "rd[C1] <= 0.15")]
    assert render(runs, 20, colour=False) == render(runs, 80, colour=False)


def test_long_condition_name_and_large_counts_cut_no_number() -> None:
    name = "nlp/extra_space_among_words_of_the_docstring"
    table: dict[str, dict[str, Outcome]] = {
        f"T/{i}": {"clean": 1, f"{name}-s0": 1} for i in range(1200)
    }
    text = render([result_of(suite_run(table))], 80, colour=False)
    assert "…" not in text
    assert re.search(r"1\.000 \(1\.00–1\.00\)  0\.000 \(-?0\.00–0\.00\)        0\n", text)
    assert "  1    1200       0         0  1.000 (1.00–1.00)  0.000     0.000\n" in text


def test_megabyte_of_one_line_is_cut() -> None:
    shown = render([hostile("x" * 1_000_000)], 80, colour=False)
    assert len(shown) < 10_000
    assert "(+999700 characters)" in shown.replace("\n", " ")
