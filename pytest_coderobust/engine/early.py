"""A suite asked in waves, so that it can end before its plan does.

A wave is some tasks, in a random order that the suite's seed fixes, under every cell that is still
wanted: a task's prompts come together, and after each wave somebody looks at what they say. What is
asked depends on finished waves alone, so every process asks the same, and so does a run that goes
on after it was killed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pytest_coderobust.engine.budget import Allowance
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Cell, Course, Observation, Square, SuiteRun, digest

WAVE = 20
"""Tasks a wave: some looks at a suite of 100, and still whole batches for the model."""

LOOKS = 50
"""Waves at most: larger suites take larger waves."""

Why = Literal["settled", "budget"]

WaveLook = Callable[[Sequence[str], Mapping[Square, Observation]], Collection[Cell]]
"""Told a wave's tasks and what was observed; says which cells are wanted of the next."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the wanted squares was not asked, and why; by cell, how many tasks were."""

    unasked: Mapping[Square, Why]
    tasks: Mapping[Cell, int]


def order_tasks(tasks: Sequence[str], seed: int) -> list[str]:
    """The tasks in the random order in which they are asked, whatever their order in the file."""
    return sorted(tasks, key=lambda task: digest("asking order", seed, task))


def cut_waves(tasks: Sequence[str]) -> Iterator[Sequence[str]]:
    """Tasks in order, wave by wave."""
    size = max(WAVE, -(-len(tasks) // LOOKS))
    return (tasks[start : start + size] for start in range(0, len(tasks), size))


def ask_in_waves(
    measurement: Measurement, wanted: Collection[Square], look: WaveLook, allowance: Allowance
) -> Asked:
    """Asks wave after wave until `look` wants no cell or the allowance is spent.

    Raises:
        ModelError, OracleError: the harness failed.
    """
    plan, squares = measurement.plan, frozenset(wanted)
    order = order_tasks(tuple(plan.tasks), measurement.sampling.seed)
    needed: Collection[Cell] = plan.cells
    asked: set[Square] = set()
    spent = False
    for tasks in cut_waves(order):
        cells = [cell for cell in plan.cells if cell in needed]
        chosen = tasks[: allowance.tasks(len(cells) * measurement.sampling.n)]
        wave = [(task, cell) for cell in cells for task in chosen if (task, cell) in squares]
        clean = [(task, Cell()) for task in dict.fromkeys(task for task, _ in wave)]
        window = tuple(dict.fromkeys([*clean, *wave]))
        spent = not measurement.ask(window, may_begin=lambda: not allowance.late)
        if not spent:
            found = observe_wave(measurement, wave)
            asked.update(wave)
            allowance.spend(count_completions(found.values()))
            needed = look(chosen, found)
            spent = len(chosen) < len(tasks) and bool(needed)
        if spent or not needed:
            break
    open_cells = needed if spent else ()
    return Asked(
        {square: "budget" if square[1] in open_cells else "settled" for square in squares - asked},
        {cell: sum(each == cell for _, each in asked) for cell in plan.cells},
    )


def observe_wave(measurement: Measurement, wave: Sequence[Square]) -> dict[Square, Observation]:
    """What the squares of a wave turned out to be; one whose check failed is left to its item."""
    found: dict[Square, Observation] = {}
    for task, cell in wave:
        try:
            seen = measurement.measure(measurement.plan.tasks[task], cell)
        except SandboxError:
            continue
        found[task, cell] = seen.observation
    return found


def count_completions(found: Iterable[Observation]) -> int:
    """Completions behind the observations of a wave; a task's clean ones count once."""
    seen = list(found)
    clean = {each.task_id: each.clean_n for each in seen}
    return sum(each.n for each in seen if not each.cell.is_clean) + sum(clean.values())


def add_course(run: SuiteRun, unasked: Mapping[Square, Why]) -> SuiteRun:
    """The run, which was asked in waves, with how far it went and why no further.

    Where other items are missing too the run is as partial as without waves.
    """
    seen = {(o.task_id, o.cell) for o in run.observations}
    planned = len(run.tasks) * len(run.cells)
    if len(seen) + len(unasked) != planned or seen & set(unasked):
        return run
    drawn = sum(o.n for o in run.observations if o.measured)
    left = len(unasked) * run.sampling.n
    why = set(unasked.values())
    ended: Literal["", Why] = "budget" if "budget" in why else "settled" if why else ""
    course = Course(ended, len({task for task, _ in seen}), drawn, drawn + left)
    return replace(run, course=course, incomplete=_describe_end(course, len(run.tasks)))


def _describe_end(course: Course, tasks: int) -> str:
    if not course.ended:
        return ""
    subject = "the budget ended" if course.ended == "budget" else "the gates were settled"
    left = course.planned - course.asked
    after = f"{course.tasks} of {tasks}" if course.tasks < tasks else f"all {tasks}"
    return f"{subject} after {after} tasks; {left} of {course.planned} completions were not asked"
