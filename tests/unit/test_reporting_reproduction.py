"""Commands and calls that are shown can be pasted: every shell word, every argument of the run."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.report_runs import make_report

from pytest_coderobust.records import Cell
from pytest_coderobust.records.editing import Editing
from pytest_coderobust.reporting.html import render
from pytest_coderobust.reporting.html.evidence import gather
from pytest_coderobust.reporting.html.grid import make_grid
from pytest_coderobust.reporting.reproduction import spell_call, spell_line
from pytest_coderobust.reporting.shell_words import join_words, quote_word
from pytest_coderobust.results.conclusion import Origin, SuiteReport

C1, C2 = Cell("C1", 0), Cell("C2", 0)


def make_run(folder: Path, reference: str, *words: str, limit: int | None = None) -> SuiteReport:
    """A report on two columns, of a suite and options."""
    made = make_report(folder, {"T/0": {"clean": 1, "C1-s0": 0, "C2-s0": 1}}, model="open one")
    return replace(made, origin=Origin(reference, words, limit=limit))


def call(text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments that a call hands to `run`."""
    names = {"model": "OPEN", "run": lambda *given, **named: (given, named)}
    found: tuple[tuple[Any, ...], dict[str, Any]] = eval(text, names)
    return found


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), max_size=20))
def test_bash_reads_every_word_as_it_was(words: Sequence[str]) -> None:
    shown = join_words(["printf", r"%s\0", *words, "end"])
    assert shown.isprintable()
    done = subprocess.run(["bash", "-c", shown], capture_output=True, check=True)
    assert done.stdout.decode() == "".join(f"{word}\0" for word in [*words, "end"])


def test_names_that_are_no_text_keep_their_bytes() -> None:
    shown = quote_word("a\udcff1'\\\x1b")
    assert shown == r"$'a\3771\'\\\033'"
    done = subprocess.run(["bash", "-c", f"printf %s {shown}"], capture_output=True, check=True)
    assert done.stdout == b"a\xff1'\\\x1b"


@pytest.mark.parametrize(
    ("cell", "words", "limit", "named"),
    [
        (C1, ("perturb=C1,C2",), None, {"perturb": "C1"}),
        (Cell(), ("perturb=C1,C2",), 20, {"limit": 20}),
        (C2, ("perturb=C1,C2", "chat=no", "batch-size=4", "allow-bin"), None,
         {"perturb": "C2", "chat": False, "batch_size": 4, "allow_bin": True}),
        (C1, (), None, {}),
        (Cell("own", 0), ("perturb=C1,C2",), None, {"perturb": ["C1", "C2"]}),
    ],
)  # fmt: skip
def test_a_call_has_the_arguments_of_the_run(
    tmp_path: Path, cell: Cell, words: Sequence[str], limit: int | None, named: dict[str, Any]
) -> None:
    given_words = [f"--coderobust-{word}" for word in ("model=tiny", *words)]
    report = make_run(tmp_path, "quickstart", *given_words, limit=limit)
    assert call(spell_call(cell, report)) == (("quickstart", "tiny"), named)


@pytest.mark.parametrize("cell", [Cell(), C1])
def test_of_an_edited_run_every_perturbation_is_asked_again(tmp_path: Path, cell: Cell) -> None:
    words = ("model=tiny", "perturb=C1,C2", "edit=ft:layer=2", "edit=creme")
    report = make_run(tmp_path, "quickstart", *(f"--coderobust-{word}" for word in words), limit=6)
    editing = Editing(("ft:layer=2", "creme"), "instant", 5, greedy=True, drawn="greedy")
    run = replace(report.run, editing=editing)
    report = replace(report, result=replace(report.result, run=run))
    _, named = call(spell_call(cell, report))
    assert named == {"perturb": ["C1", "C2"], "edit": ["ft:layer=2", "creme"], "limit": 6}


def test_an_open_model_is_a_variable(tmp_path: Path) -> None:
    report = make_run(tmp_path, "quick'\x1b[2J", "--coderobust-perturb=C1")
    shown = spell_call(C1, report)
    assert shown.isprintable()
    assert shown.endswith("  # model: 'open one'")
    assert call(shown) == (("quick'\x1b[2J", "OPEN"), {"perturb": "C1"})
    assert spell_line(report.run.observations[1], report) == f"# in Python: {shown}"


def test_a_line_for_a_shell_holds_the_call(tmp_path: Path) -> None:
    report = make_run(tmp_path, "quickstart", "--coderobust-model=tiny", "--coderobust-perturb=C1")
    broken = report.run.observations[1]
    assert spell_line(broken, report) == (
        """python -c 'from pytest_coderobust import run; print(run('"'"'quickstart'"'"', """
        """'"'"'tiny'"'"', perturb='"'"'C1'"'"'))'"""
    )
    filed = replace(report, origin=Origin("my\x1b[2J.toml", ("--coderobust-model=tiny",)))
    assert spell_line(broken, filed) == (
        r"pytest $'my\033[2J.toml::T/0[C1-s0]' --coderobust-model=tiny --coderobust-strict "
        "--coderobust-no-gates"
    )


def test_the_page_has_a_call_for_each_column_where_pytest_has_no_name(tmp_path: Path) -> None:
    report = make_run(
        tmp_path, "quickstart", "--coderobust-model=tiny", "--coderobust-perturb=C1,C2"
    )
    reproduce = make_grid(report, gather(report, 10**6))["reproduce"]
    assert isinstance(reproduce, list)
    cells = report.run.cells
    assert reproduce[2] == [spell_call(cell, report) for cell in cells]
    assert "perturb" not in reproduce[2][0]
    filed = replace(report, origin=Origin("toy.toml", ("--coderobust-model=tiny",)))
    assert make_grid(filed, gather(filed, 10**6))["reproduce"] == [
        "toy.toml", "--coderobust-model=tiny"
    ]  # fmt: skip
    assert "calls[column]" in render([report])
