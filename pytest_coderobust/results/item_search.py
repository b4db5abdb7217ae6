"""Items of a ledger by the names that people know them by: a task, with its condition or without.

suite.toml::HumanEval/3[C1-s0]      HumanEval/3[C1-s0]      HumanEval/3
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from pytest_coderobust.errors import UsageError, show_name
from pytest_coderobust.records import Cell, Observation, Status, SuiteRun
from pytest_coderobust.records.codec import decode
from pytest_coderobust.results.conclusion import Stored

NEAREST = 3
"""Nearest names that a message offers."""

TELLING = (Status.BROKEN, Status.UNSOLVED, Status.ROBUST, Status.SOLVED)
"""Statuses in the order in which a task's item is taken where no condition is named."""


@dataclass(frozen=True, slots=True)
class WantedItem:
    """The name of an item, taken apart.

    Attributes:
        reference: the suite before "::", or "".
        label: the condition in brackets ("C1-s0", "clean"), or "".
    """

    reference: str
    task: str
    label: str


@dataclass(frozen=True, slots=True)
class FoundItem:
    """An item with the run it was taken from, and what else might have been taken.

    Attributes:
        runs: the runs that have the item, the oldest first; the last is the one that was taken.
        others: the task's other items in the run that was taken.
    """

    observation: Observation
    run: SuiteRun
    runs: tuple[Stored, ...]
    others: tuple[Observation, ...]

    @property
    def stored(self) -> Stored:
        return self.runs[-1]


def parse_item(text: str) -> WantedItem:
    """Takes the name of an item apart; every text is one."""
    reference, _, name = text.rpartition("::")
    if name.endswith("]") and "[" in name:
        task, _, label = name[:-1].partition("[")
        return WantedItem(reference, task, label)
    return WantedItem(reference, name, "")


def find_item(stored: Sequence[Stored], text: str, where: str) -> FoundItem:
    """Finds an item in the latest run that has it.

    Args:
        stored: the runs to look into, the oldest first.
        where: says in messages where that is ("ledger.sqlite").

    Raises:
        UsageError: no run has it; the message has the nearest names.
    """
    wanted = parse_item(text)
    fitting = [each for each in stored if _fits_reference(each, wanted.reference)]
    if not fitting:
        raise UsageError(
            f"{text!r}: no run of {where} is of the suite {wanted.reference!r}; there are "
            f"{', '.join(map(show_name, dict.fromkeys(map(read_reference, stored))))}"
        )
    having = [each for each in fitting if _plans(each, wanted)]
    if not having:
        raise UsageError(f"{text!r} is no item of {where}{_offer(fitting, wanted)}")
    run = having[-1].read_run()
    own = [each for each in run.observations if each.task_id == wanted.task]
    chosen = [each for each in own if wanted.label in ("", each.cell.label)]
    if not chosen:
        raise UsageError(
            f"{text!r} was planned and not measured in run {having[-1].digest[:12]} of {where}"
            + (f", which is partial: {run.incomplete}" if run.incomplete else "")
        )
    taken = min(chosen, key=_rank)
    others = tuple(each for each in own if each is not taken)
    return FoundItem(taken, run, tuple(having), others)


def read_reference(stored: Stored) -> str:
    """Reads a run's suite as test ids have it."""
    return str(stored.body["origin"]["reference"])


def _rank(observation: Observation) -> int:
    """The place of an item among those of its task, the most telling first."""
    status = observation.status
    return TELLING.index(status) if status in TELLING else len(TELLING)


def _fits_reference(stored: Stored, reference: str) -> bool:
    """Whether a run is of a suite, by its reference, the end of its path, or its name."""
    own = read_reference(stored)
    return reference in ("", own, stored.suite) or own.endswith(f"/{reference}")


def _plans(stored: Stored, wanted: WantedItem) -> bool:
    """Whether a run planned an item."""
    body: Mapping[str, list[str]] = stored.body["run"]
    return wanted.task in body["tasks"] and wanted.label in ("", *_read_labels(stored))


def _read_labels(stored: Stored) -> list[str]:
    """Reads the conditions of a run, as test ids have them."""
    return [cell.label for cell in decode(tuple[Cell, ...], stored.body["run"]["cells"])]


def _offer(stored: Sequence[Stored], wanted: WantedItem) -> str:
    """The end of a sentence about an item that is not there: the nearest that are."""
    offered = list(dict.fromkeys(_list_near(stored, wanted)))[:NEAREST]
    return f"; nearest: {', '.join(map(show_name, offered))}" if offered else ""


def _list_near(stored: Sequence[Stored], wanted: WantedItem) -> Iterator[str]:
    """Lists items with a name like the wanted one, the nearest first."""
    tasks = {task: each for each in stored for task in each.body["run"]["tasks"]}
    near = get_close_matches(wanted.task, tasks, n=NEAREST, cutoff=0.5)
    if wanted.task in tasks:
        near = [wanted.task]
    for task in near:
        labels = _read_labels(tasks[task])
        if not wanted.label:
            yield task
        else:
            close = get_close_matches(wanted.label, labels, n=NEAREST, cutoff=0.4)
            yield from (f"{task}[{label}]" for label in close or labels[:1])
