"""The watch over gates while tasks are asked: the settled gates, and the cells still needed.

A gate with a confidence is settled by its bets. One without is settled once the tasks left cannot
change it, and so is a count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_coderobust.engine.early import cut_waves, order_tasks
from pytest_coderobust.gates.bets import LOOKING, Bets, make_form
from pytest_coderobust.gates.gate import TOLERANCE, Gate, holds
from pytest_coderobust.metrics.catalogue import QUALITIES, RATES, WHOLE
from pytest_coderobust.metrics.condition import score_task
from pytest_coderobust.metrics.summary import ALL, pool_levels
from pytest_coderobust.metrics.unseen import pool_unseen
from pytest_coderobust.records import CLEAN, Cell, Observation, Square, Status, SuiteRun

TASKWISE = ("unusable", "unchecked")
"""Counts of tasks, on which all items of one task agree."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The part of a plan that a watch needs: what the suite asks if nothing ends it early."""

    tasks: int
    cells: tuple[Cell, ...]
    levels: Mapping[str, str]
    ks: tuple[int, ...]
    samples: int
    train: tuple[str, ...] = ()

    def read_by(self, gate: Gate) -> tuple[Cell, ...]:
        """Lists the cells that a gate's value is computed from, as far as the plan has them."""
        if gate.k is not None and gate.k not in self.ks:
            return ()
        if gate.condition == WHOLE:
            return self.cells
        names = tuple(dict.fromkeys(c.perturbation for c in self.cells if not c.is_clean))
        members = {CLEAN: [CLEAN], ALL: list(names), **pool_unseen(names, self.train)}
        members |= pool_levels(names, self.levels)
        wanted = [gate.condition] if gate.condition in names else members.get(gate.condition, ())
        return tuple(cell for cell in self.cells if cell.perturbation in wanted)


def read_planned(run: SuiteRun) -> Planned:
    """Reads the plan back from a run."""
    return Planned(len(run.tasks), run.cells, run.levels, run.ks, run.sampling.n, run.train)


@dataclass(frozen=True, slots=True)
class Settled:
    """A gate that needs no more tasks.

    Attributes:
        met: whether it holds.
        tasks: how many had been asked.
    """

    met: bool
    tasks: int


class RateWatch:
    """The watch over one gate about a rate."""

    def __init__(self, gate: Gate, plan: Planned) -> None:
        self._gate = gate
        self._cells = plan.read_by(gate)
        self._k = min(plan.ks) if gate.k is None else gate.k
        self._left = plan.tasks
        self._form = make_form(gate)
        self._bets = Bets(self._form.low, self._form.high)
        self._sum = self._clean = 0.0

    def take(self, tasks: Sequence[str], found: Mapping[Square, Observation]) -> bool | None:
        """Adds tasks, and decides whether the gate holds; None while that is open."""
        self._left -= len(tasks)
        scores: list[float] = []
        for task in tasks:
            seen = [found[task, cell] for cell in self._cells if (task, cell) in found]
            if measured := [each for each in seen if each.measured]:
                task_scores = score_task(self._k, measured)
                scores.append(self._form.score(task_scores))
                self._clean += task_scores.clean
        self._sum += sum(scores)
        self._bets.take(scores)
        if self._form.drop and not self._clean:
            return None  # a drop is undefined until something is solved
        if self._gate.confidence is not None:
            return self._bets.decision(LOOKING * (1 - self._gate.confidence))
        # Without a confidence the gate is settled once the tasks left cannot change it: each adds
        # between `low` and `high`. The margin covers the rounding of the sums.
        margin = TOLERANCE * (abs(self._sum) + self._left + 1)
        if self._sum + self._left * self._form.low > margin:
            return True
        return False if self._sum + self._left * self._form.high < -margin else None


OF_COMPLETIONS = ("truncated", "unfinished", "refused")
"""Counts of completions; the others count items or tasks."""


class CountWatch:
    """The watch over one gate about a count, which only grows."""

    def __init__(self, gate: Gate, plan: Planned) -> None:
        self._gate = gate
        self._cells = (Cell(),) if gate.metric in TASKWISE else plan.read_by(gate)
        self._most = plan.samples if gate.metric in OF_COMPLETIONS else 1
        self._left = plan.tasks * len(self._cells)
        self._count = 0
        self._known = False

    def take(self, tasks: Sequence[str], found: Mapping[Square, Observation]) -> bool | None:
        """Adds tasks, and decides, as `RateWatch.take` does."""
        self._left -= len(tasks) * len(self._cells)
        squares = [(task, cell) for task in tasks for cell in self._cells]
        seen = [found[square] for square in squares if square in found]
        self._count += sum(map(self._counted, seen))
        self._known |= any(each.measured or self._gate.condition == WHOLE for each in seen)
        if not self._known:
            return None
        # The count may stay as it is, or grow by the most that the items left can add.
        ends = {
            holds(self._gate, count)
            for count in (self._count, self._count + self._left * self._most)
        }
        return ends.pop() if len(ends) == 1 else None

    def _counted(self, seen: Observation) -> int:
        if self._gate.metric == "truncated":
            return seen.truncated
        if self._gate.metric == "unfinished":
            return seen.unfinished
        if self._gate.metric == "refused":
            return seen.refused
        if self._gate.metric == "unchecked":
            return seen.measured and not seen.checked
        return seen.status is Status(self._gate.metric)


class QualityWatch:
    """The watch over one gate about quality, which is judged when all is asked: it stays open."""

    def take(self, tasks: Sequence[str], found: Mapping[Square, Observation]) -> bool | None:  # noqa: ARG002
        """Decides nothing."""
        return None


def open_watch(gate: Gate, plan: Planned) -> RateWatch | CountWatch | QualityWatch:
    """Opens the watch that a gate needs."""
    if gate.metric in QUALITIES:
        return QualityWatch()
    return RateWatch(gate, plan) if gate.metric in RATES else CountWatch(gate, plan)


class GateWatch:
    """All gates of a suite, watched together."""

    def __init__(self, gates: Iterable[Gate], plan: Planned) -> None:
        self.gates = tuple(gates)
        self._plan = plan
        self._read = [frozenset(plan.read_by(gate)) for gate in self.gates]
        self._asked = 0
        self._watches = [open_watch(gate, plan) for gate in self.gates]
        self.settled: list[Settled | None] = [None] * len(self.gates)

    def take(self, tasks: Sequence[str], found: Mapping[Square, Observation]) -> None:
        """Adds tasks to every open gate; a gate that was settled stays so."""
        self._asked += len(tasks)
        for place, watch in enumerate(self._watches):
            if self.settled[place] is None and self._read[place]:
                met = watch.take(tasks, found)
                self.settled[place] = None if met is None else Settled(met, self._asked)

    @property
    def needed(self) -> frozenset[Cell]:
        """The cells to ask of the next tasks; empty when there are gates and all are settled.

        They are the clean cell, those that an open gate reads, and those that no gate reads.
        """
        both = zip(self._read, self.settled, strict=True)
        still = [cells for cells, done in both if done is None]
        if self.gates and not still:
            return frozenset()
        unread = frozenset(self._plan.cells).difference(*self._read)
        return frozenset([Cell()]).union(unread, *still)


def replay_watch(gates: Iterable[Gate], run: SuiteRun) -> list[Settled | None]:
    """Replays the watch over a run asked in waves; returns each gate's decision, None if open."""
    watch = GateWatch(gates, read_planned(run))
    found = {(seen.task_id, seen.cell): seen for seen in run.observations}
    asked = {task for task, _ in found}
    for wave in cut_waves(order_tasks(run.tasks, run.sampling.seed), run.waves):
        if tasks := [task for task in wave if task in asked]:
            watch.take(tasks, found)
    return watch.settled
