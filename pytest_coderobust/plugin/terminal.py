"""Output on pytest's terminal: a letter for each item, a report for each suite."""

from __future__ import annotations

import sys

import pytest

from pytest_coderobust.plugin.outcome import Findings
from pytest_coderobust.records import Status

LETTERS = {
    Status.SOLVED.value: (".", "green"),
    Status.ROBUST.value: (".", "green"),
    Status.BROKEN.value: ("B", "yellow"),
    Status.UNSOLVED.value: ("u", "light"),
}
"""Letter and colour of each status in pytest's own progress."""


def choose_letter(word: str) -> tuple[str, str, tuple[str, dict[str, bool]]]:
    """Category, letter and word of a passed suite item in pytest's own output."""
    letter, colour = LETTERS[word]
    return word, letter, (word.upper(), {colour: True})


def write_summary(
    terminal: pytest.TerminalReporter, config: pytest.Config, findings: Findings
) -> None:
    """Writes the report of every suite below pytest's own."""
    if not (findings.reports or findings.errors):
        return
    terminal.write_sep("=", "robustness")
    writer = config.get_terminal_writer()
    encoding = getattr(sys.__stdout__, "encoding", None) or "utf-8"
    page = (writer.fullwidth, writer.hasmarkup, encoding)
    if findings.reports:
        from pytest_coderobust.reporting.terminal.report import render

        terminal.write_line(render([report.result for report in findings.reports], *page))
    if findings.hunts:
        from pytest_coderobust.reporting.terminal.console import print_lines
        from pytest_coderobust.reporting.terminal.hunts import render_hunt

        for hunt in findings.hunts:
            terminal.write_line(print_lines(render_hunt(hunt), *page))
    for command in findings.reproduce():
        terminal.write_line(f"see the first broken prompt: {command}")
    for note in findings.notes:
        terminal.write_line(note)
    for error in findings.errors:
        terminal.write_line(f"coderobust: {error}", red=True)
