"""Early ends: a suite is asked wave by wave, until no more is needed or the budget is spent.

A wave is a number of tasks, each under every cell that is still needed. The order of the tasks is
random, and the suite's seed fixes it. After each wave a function looks at its observations and
says which cells the next wave needs. The next wave depends on finished waves alone, so every
process asks the same squares, and so does a run that continues after it was killed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from pytest_coderobust.engine.budget import Allowance
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.engine.spending import BudgetSpent
from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Cell, Course, Observation, Square, SuiteRun, digest

WAVE = 20
"""Tasks of a wave: five looks at a suite of 100 tasks, and still whole batches for the model."""

LOOKS = 50
"""Largest number of waves: larger suites have larger waves."""

Why = Literal["settled", "budget"]

WaveLook = Callable[[Sequence[str], Mapping[Square, Observation]], Collection[Cell]]
"""Called after each wave with its tasks and observations; returns the cells to ask next."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The outcome of asking in waves.

    Attributes:
        unasked: the wanted squares that were not asked, and why.
        tasks: the number of tasks that were asked, by cell.
    """

    unasked: Mapping[Square, Why]
    tasks: Mapping[Cell, int]


def order_tasks(tasks: Sequence[str], seed: int) -> list[str]:
    """Sorts tasks into the random order in which they are asked; the seed alone fixes it."""
    return sorted(tasks, key=lambda task: digest("asking order", seed, task))


def cut_waves(tasks: Sequence[str], sizes: Sequence[int] = ()) -> Iterator[Sequence[str]]:
    """Cuts tasks into waves, in order.

    Args:
        sizes: the tasks of each wave, of a served model that was asked; by default they are equal.
    """
    place = 0
    for size in sizes:
        yield tasks[place : place + size]
        place += size
    size = find_wave_size(len(tasks))
    yield from (tasks[start : start + size] for start in range(place, len(tasks), size))


def find_wave_size(tasks: int) -> int:
    """Finds the number of tasks of a wave."""
    return max(WAVE, -(-tasks // LOOKS))


class WaveCutter(Protocol):
    """Says how many tasks the next wave of a served model has."""

    def cut(self, tasks: Sequence[str], cells: Sequence[Cell]) -> int:
        """The number of tasks to ask of those left; 0 where the budget is spent."""
        ...


def ask_in_waves(
    measurement: Measurement,
    wanted: Collection[Square],
    look: WaveLook,
    allowance: Allowance,
    cutter: WaveCutter | None = None,
) -> Asked:
    """Asks wave after wave until `look` needs no cell or the allowance is spent.

    Args:
        cutter: of a served model, whose waves depend on the server and on a budget in money.

    Raises:
        ModelError, OracleError: the harness failed.
    """
    plan, squares = measurement.plan, frozenset(wanted)
    order = order_tasks(tuple(plan.tasks), measurement.sampling.seed)
    size = find_wave_size(len(order))
    needed: Collection[Cell] = plan.cells
    asked: set[Square] = set()
    spent = False
    place = 0
    while place < len(order):
        cells = [cell for cell in plan.cells if cell in needed]
        if cutter is not None and not (size := cutter.cut(order[place:], cells)):
            spent = True
            break
        tasks = order[place : place + size]
        # A wave that the allowance does not cover whole is asked for fewer tasks, never for fewer
        # cells: a task without one of its cells could not be compared with its clean prompt.
        chosen = tasks[: allowance.tasks(len(cells) * measurement.sampling.n)]
        wave = [(task, cell) for cell in cells for task in chosen if (task, cell) in squares]
        # A perturbed prompt is judged beside its clean one, also where that was not wanted.
        clean = [(task, Cell()) for task in dict.fromkeys(task for task, _ in wave)]
        window = tuple(dict.fromkeys([*clean, *wave]))
        # The clock is asked under the lease, and only if something is missing. So a process that
        # finds the wave in the ledger takes it, and all processes agree on how far the run went.
        spent = not _ask_window(measurement, window, allowance)
        if not spent:
            found = observe_wave(measurement, wave)
            asked.update(wave)
            allowance.spend(count_completions(found.values()))
            needed = look(chosen, found)
            # A shortened wave that settles everything was not ended by the budget.
            spent = len(chosen) < len(tasks) and bool(needed)
        if spent or not needed:
            break
        place += len(tasks)
    # Cells that nobody needed any more are settled, even if the budget ended the others.
    open_cells = needed if spent else ()
    tasks_of = Counter(cell for _, cell in asked)
    return Asked(
        {square: "budget" if square[1] in open_cells else "settled" for square in squares - asked},
        {cell: tasks_of[cell] for cell in plan.cells},
    )


def _ask_window(measurement: Measurement, window: Sequence[Square], allowance: Allowance) -> bool:
    """Asks a wave; False if the budget ended before it was complete."""
    try:
        return measurement.ask(window, may_begin=lambda: not allowance.late)
    except BudgetSpent:
        return False


def observe_wave(measurement: Measurement, wave: Sequence[Square]) -> dict[Square, Observation]:
    """Observes the squares of a wave; if the sandbox fails on one, its item will report it."""
    found: dict[Square, Observation] = {}
    for task, cell in wave:
        try:
            seen = measurement.measure(measurement.plan.tasks[task], cell)
        except SandboxError:
            continue
        found[task, cell] = seen.observation
    return found


def count_completions(found: Iterable[Observation]) -> int:
    """Counts the completions behind a wave's observations; a task's clean ones count once."""
    seen = list(found)
    clean = {each.task_id: each.clean_n for each in seen}
    return sum(each.n for each in seen if not each.cell.is_clean) + sum(clean.values())


def add_course(run: SuiteRun, unasked: Mapping[Square, Why]) -> SuiteRun:
    """Adds to a run that was asked in waves how far it went, and why it went no further.

    Where other items are missing too, the run is left as partial as without waves.
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
