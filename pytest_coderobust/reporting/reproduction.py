"""Reproduction of an item: words of pytest, or a Python call where the suite has no file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_coderobust.records import Cell, Observation
from pytest_coderobust.reporting.shell_words import join_words
from pytest_coderobust.results.conclusion import SuiteReport

PREFIX = "--coderobust-"
YES = {"yes": True, "no": False}


def has_file(report: SuiteReport) -> bool:
    """Whether the suite is a file, whose items pytest can name."""
    return report.origin.reference.endswith(".toml")


def list_words(observation: Observation, report: SuiteReport) -> list[str]:
    """Lists the words of the command that runs an item of a suite's file alone."""
    nodeid = f"{report.origin.reference}::{observation.task_id}[{observation.cell.label}]"
    flags = ["--coderobust-strict", "--coderobust-no-gates"]
    return ["pytest", nodeid, *report.origin.arguments, *flags]


def spell_line(observation: Observation, report: SuiteReport) -> str:
    """Spells one line for a shell that measures an item again; a comment where none can.

    No shell has an open model that a script handed over: the line then has the call alone.
    """
    if has_file(report):
        return join_words(list_words(observation, report))
    call = spell_call(observation.cell, report)
    if not _read_option(report, "model"):
        return f"# in Python: {call}"
    return join_words(["python", "-c", f"from pytest_coderobust import run; print({call})"])


def spell_call(cell: Cell, report: SuiteReport) -> str:
    """Spells the Python call that measures the items of a cell again.

    The arguments are those of the run. Without an edit the perturbation is the cell's own, and
    the clean cell needs none; what an edit mends depends on every perturbation of the run. A
    model that was open, and has no name to open it by, is the variable `model`.
    """
    named = _read_option(report, "model")
    model = repr(named[-1]) if named else "model"
    arguments = [repr(report.origin.reference), model, *_spell_keywords(cell, report)]
    note = "" if named else f"  # model: {report.run.model.name!r}"
    return f"run({', '.join(arguments)}){note}"


def _spell_keywords(cell: Cell, report: SuiteReport) -> Iterator[str]:
    """Spells the keyword arguments of the call."""
    if perturbations := _choose_perturbations(cell, report):
        yield f"perturb={_spell_texts(perturbations)}"
    if edits := _read_option(report, "edit"):
        yield f"edit={_spell_texts(edits)}"
    if report.origin.limit is not None:
        yield f"limit={report.origin.limit}"
    for word in report.origin.arguments:
        name, sign, text = word.removeprefix(PREFIX).partition("=")
        if name not in ("model", "perturb", "edit"):
            value = _read_value(name, text) if sign else True
            yield f"{name.replace('-', '_')}={value!r}"


def _choose_perturbations(cell: Cell, report: SuiteReport) -> Sequence[str]:
    """Chooses the perturbations of the call; none where they are the suite's own."""
    chosen = [name for text in _read_option(report, "perturb") for name in text.split(",")]
    if report.run.editing is not None or not chosen:
        return chosen
    if cell.is_clean:
        return []
    return [cell.perturbation] if cell.perturbation in chosen else chosen


def _read_option(report: SuiteReport, name: str) -> list[str]:
    """Reads the values that an option of the run was given."""
    start = f"{PREFIX}{name}="
    return [word[len(start) :] for word in report.origin.arguments if word.startswith(start)]


def _read_value(name: str, text: str) -> object:
    """Reads the Python value of an option's word."""
    if name == "batch-size":
        return int(text)
    return YES[text] if name == "chat" else text


def _spell_texts(texts: Sequence[str]) -> str:
    return repr(texts[0] if len(texts) == 1 else list(texts))
