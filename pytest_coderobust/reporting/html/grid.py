"""The grid of a suite's plan, one character a square, so that a hundred thousand stay light."""

from __future__ import annotations

from pytest_coderobust.records import Status
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.html.evidence import PageEvidence
from pytest_coderobust.reporting.reproduction import has_file, spell_call
from pytest_coderobust.reporting.shell_words import join_words, quote_word
from pytest_coderobust.results.conclusion import SuiteReport

LETTERS = {
    Status.SOLVED: "s",
    Status.UNSOLVED: "u",
    Status.ROBUST: "r",
    Status.BROKEN: "b",
    Status.SKIPPED: "k",
    Status.UNUSABLE: "x",
}
UNMEASURED = "-"
NAME = 200


def make_grid(report: SuiteReport, evidence: PageEvidence) -> dict[str, object]:
    """Makes a suite for the task browser.

    Keys: `tasks`; `cells` with label, perturbation and level; `grid`, for each cell a letter a
    task; `passes`, for each cell the samples that pass (null where there is one sample a prompt);
    `why`, reasons by "cell,task"; `chunk`, the evidence block of each task (-1 for none).
    """
    run = report.run
    rows = {task: place for place, task in enumerate(run.tasks)}
    columns = {cell: place for place, cell in enumerate(run.cells)}
    grid = [[UNMEASURED] * len(rows) for _ in columns]
    passes = [[-1] * len(rows) for _ in columns]
    why: dict[str, str] = {}
    for o in report.run.observations:
        column, row = columns[o.cell], rows[o.task_id]
        grid[column][row] = LETTERS[o.status]
        passes[column][row] = o.c if o.measured else -1
        if o.reason:
            why[f"{column},{row}"] = escape(o.reason, NAME)
    return {
        "name": escape(run.suite, NAME),
        "n": run.sampling.n,
        "tasks": [escape(task, NAME) for task in run.tasks],
        "cells": [
            [escape(cell.label, NAME), escape(cell.perturbation, NAME), find_level(report, place)]
            for place, cell in enumerate(run.cells)
        ],
        "grid": ["".join(column) for column in grid],
        "passes": None if run.sampling.n == 1 else passes,
        "why": why,
        "chunk": evidence.where,
        "reproduce": split_command(report),
    }


def find_level(report: SuiteReport, place: int) -> str:
    """Finds the level of a column, "" for the clean one."""
    cell = report.run.cells[place]
    return escape(report.run.levels.get(cell.perturbation, ""), NAME)


def split_command(report: SuiteReport) -> list[object]:
    """Splits the command that repeats a test: the text before its name, and after it.

    A third part has the Python call of each column, where pytest cannot name the tests. A fourth
    says that the first is quoted for a shell, because it does not print.
    """
    reference, words = report.origin.reference, join_words(report.origin.arguments)
    if reference and not has_file(report):
        calls = [spell_call(cell, report) for cell in report.run.cells]
        return [escape(reference, NAME), words, calls]
    if not reference.isprintable():
        return [quote_word(reference), words, None, True]
    return [reference, words]
