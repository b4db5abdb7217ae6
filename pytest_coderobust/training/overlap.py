"""Rows of training data that a suite asks for: what a model learnt from them is no robustness.

A row overlaps a task in one of two ways. Its text has the words of the task's description: all of
them in a row where the description is short (6 to 29 words), and half of its runs of 13 words where
it is longer. Or its answer holds the task's canonical solution, white space aside, where that has
60 characters or more: shorter solutions are written again and again by chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from coderobust_strategies.prompt.anatomy import dissect
from pytest_coderobust.errors import DataError
from pytest_coderobust.records import Task
from pytest_coderobust.training.example import TrainingExample
from pytest_coderobust.training.source import TrainingData

SHORTEST, LONG, RUN = 6, 30, 13
"""Words of the shortest description that counts, of one that is long, and of a run."""
SOLUTION = 60
"""Characters, without white space, of the shortest solution that counts."""
_WORD = re.compile(r"\w+")

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SuiteOverlap:
    """A row that a suite asks for.

    Attributes:
        example: the row's id.
        by: "prompt" or "solution".
    """

    example: str
    task: str
    by: str


def find_overlap(
    examples: Iterable[TrainingExample], tasks: Iterable[Task]
) -> tuple[SuiteOverlap, ...]:
    """Finds the rows that have the description or the solution of a task, each row once."""
    asked = list(tasks)
    descriptions = {task.id: _words(_describe(task)) for task in asked}
    short, long = _index_short(descriptions), _index_long(descriptions)
    runs = {name: len(_runs(words, RUN)) for name, words in descriptions.items()}
    solutions = {
        text: task.id
        for task in asked
        if task.canonical and len(text := _squeeze(task.canonical)) >= SOLUTION
    }
    found: list[SuiteOverlap] = []
    for example in examples:
        words = _words("\n".join((*example.texts, example.answer)))
        if task := _find_short(words, short) or _find_long(words, long, runs):
            found.append(SuiteOverlap(example.id, task, "prompt"))
        elif task := _find_solution(_squeeze(example.answer), solutions):
            found.append(SuiteOverlap(example.id, task, "solution"))
    return tuple(found)


def drop_overlap(
    data: TrainingData, tasks: Iterable[Task], suite: str, *, drop: bool, remedy: str
) -> tuple[TrainingData, int]:
    """Leaves out the rows that a suite asks for too, and counts them.

    Args:
        suite: its name, for messages.
        drop: False refuses such rows instead.
        remedy: what leaves them out, for messages ("--decontaminate").

    Raises:
        DataError: rows are also in the suite and may not be dropped, or none is left.
    """
    overlap = find_overlap(data.examples, tasks)
    if overlap and not drop:
        first = overlap[0]
        raise DataError(
            f"{data.name}: {len(overlap)} of {len(data.examples)} rows are also in the suite "
            f"{suite}, the first is row {first.example} ({first.by} of {first.task}); "
            f"{remedy} leaves them out"
        )
    gone = {each.example for each in overlap}
    kept = tuple(each for each in data.examples if each.id not in gone)
    if not kept:
        raise DataError(f"{data.name}: there is no row to train on: all are also in a suite")
    return replace(data, examples=kept), len(overlap)


def _describe(task: Task) -> str:
    """The prose of a task's prompt, without code and examples."""
    anatomy = dissect(task.prompt, task.entry_point, task.canonical or "")
    return "\n".join(anatomy.text(part) for part in anatomy.segments if part.kind == "prose")


def _words(text: str) -> Words:
    return tuple(_WORD.findall(text.lower()))


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _runs(words: Words, length: int) -> frozenset[Words]:
    return frozenset(words[n : n + length] for n in range(len(words) - length + 1))


def _index_short(descriptions: Mapping[str, Words]) -> Mapping[Words, Sequence[tuple[Words, str]]]:
    """Short descriptions and their tasks, by the words that they begin with."""
    found: dict[Words, list[tuple[Words, str]]] = {}
    for name, words in descriptions.items():
        if SHORTEST <= len(words) < LONG:
            found.setdefault(words[:SHORTEST], []).append((words, name))
    return found


def _index_long(descriptions: Mapping[str, Words]) -> Mapping[Words, Sequence[str]]:
    """Tasks with long descriptions, by the runs of words in them."""
    found: dict[Words, list[str]] = {}
    for name, words in descriptions.items():
        if len(words) >= LONG:
            for run in _runs(words, RUN):
                found.setdefault(run, []).append(name)
    return found


def _find_short(words: Words, short: Mapping[Words, Sequence[tuple[Words, str]]]) -> str:
    for start in range(len(words) - SHORTEST + 1):
        for wanted, task in short.get(words[start : start + SHORTEST], ()):
            if words[start : start + len(wanted)] == wanted:
                return task
    return ""


def _find_long(words: Words, long: Mapping[Words, Sequence[str]], runs: Mapping[str, int]) -> str:
    shared: dict[str, int] = {}
    for run in _runs(words, RUN) if long else ():
        for task in long.get(run, ()):
            shared[task] = shared.get(task, 0) + 1
    return min((task for task, count in shared.items() if 2 * count >= runs[task]), default="")


def _find_solution(answer: str, solutions: Mapping[str, str]) -> str:
    return min(_list_held(answer, solutions), default="")


def _list_held(answer: str, solutions: Mapping[str, str]) -> Iterator[str]:
    return (task for text, task in solutions.items() if text in answer)
