"""Failures as a person sees them: plain words, nothing hidden, commands that can be pasted."""

from __future__ import annotations

from dataclasses import replace

from support.hunt_failures import CLEAN, failure

from coderobust_strategies import Edit
from pytest_coderobust.hunting.failure import HuntCost, Votes
from pytest_coderobust.hunting.hunt import Hunted
from pytest_coderobust.hunting.tally import SuiteHunt, tally
from pytest_coderobust.reporting.terminal.console import print_lines
from pytest_coderobust.reporting.terminal.hunts import diff_words, render_failure, render_hunt


def found(number: int = 1) -> SuiteHunt:
    failures = [failure(f"Toy/{place}") for place in range(number)]
    hunted = [Hunted(each.task_id, "found", each, HuntCost(10, 2)) for each in failures]
    hunted.append(Hunted("Toy/99", "budget", None, HuntCost(200, 9), ((failure("Toy/99"), False),)))
    files = {each.id: f".coderobust/failures/{each.id}.json" for each in failures}
    return SuiteHunt("toy.toml", "tiny", ("mix_all",), tuple(hunted), files, ("a note",))


def text(hunt: SuiteHunt, *, colour: bool = False) -> str:
    return print_lines(render_hunt(hunt), 80, colour)


def test_counts_come_first_then_the_failure_with_its_evidence() -> None:
    shown = text(found())
    for line in (
        "hunt  toy.toml: 1 of 2 solved tasks broken by mix_all",
        "      2 edits in the median (case 1, swap 1)",
        "      210 completions asked for",
        "      1 unbroken when the budget ended",
        "      replayed 1 known failure: 0 still broken, 1 fixed",
        "note  a note",
        "fixed Toy/99: 2 edits (case, swap)",
        "Toy/0: broken by 2 edits (case, swap)",
        '        """[-Return-]{+return+} [-twice-]{+wtice+} the given number."""',
        "  before: 3 of 3 tests pass",
        "        return 2 * value",
        "        return '\\ud800\\x1b[31m[bold]'",
        "  reproduce: pytest toy.toml --coderobust-hunt",
    ):
        assert line in shown.splitlines(), line
    assert "after: 0 of 3 tests pass, cut by the token limit; wrong-answer: cand" in shown
    assert "\x1b" not in shown


def test_threads_are_told_where_they_are_known() -> None:
    assert "threads" not in text(found())
    assert "      threads: 2 (asked for)" in text(replace(found(), threads="2 (asked for)"))


def test_colour_marks_words_and_hostile_text_stays_text() -> None:
    shown = text(found(), colour=True)
    assert "\x1b[9;31m[-Return-]" in shown
    assert "\x1b[1;32m{+return+}" in shown
    assert "\\x1b[31m[bold]" in shown


def test_commands_are_never_cut_and_long_hunts_are_listed() -> None:
    command = "pytest " + "long " * 40 + "end"
    hunt = found(30)
    first = replace(failure("Toy/0"), reproduce=command)
    hunted = (replace(hunt.hunted[0], failure=first), *hunt.hunted[1:])
    shown = text(replace(hunt, hunted=hunted))
    assert f"  reproduce: {command}" in shown.splitlines()
    assert shown.count("  before: ") == 5
    assert "and 10 more in .coderobust/failures" in shown


def test_votes_and_an_early_end_are_in_the_title() -> None:
    odd = replace(failure(), votes=Votes(4, 5), minimal=False)
    title = next(iter(render_failure(odd))).plain
    assert title.endswith("(case, swap), fails 4 of 5 times, not minimal: the budget ended")


def test_insertions_deletions_and_joined_edits_are_shown_word_by_word() -> None:
    prompt = "add one two three\nnext line here\n"
    edits = (Edit(4, 5, "O", "case"), Edit(6, 9, "X", "swap"), Edit(14, 14, "y", "typo"))
    assert [line.plain for line in diff_words(prompt, edits)] == [
        "add [-one two-]{+OnXwo+} [-three-]{+thyree+}"
    ]
    gap = (Edit(27, 27, " more", "insertion"),)
    (line,) = [line.plain for line in diff_words(prompt, gap)]
    assert line == "next [-line-]{+line more+} here"


def test_a_tally_counts_by_hand() -> None:
    counts = tally(found(3).hunted)
    assert (counts.tasks, counts.endings) == (4, {"found": 3, "budget": 1})
    assert counts.kinds == {"case": 3, "swap": 3}
    assert counts.edits == 2
    assert counts.completions == 230
    assert [each.task_id for each in counts.fixed] == ["Toy/99"]
    assert counts.still == ()
    assert tally([]).edits is None
    assert CLEAN in counts.fixed[0].clean.prompt
