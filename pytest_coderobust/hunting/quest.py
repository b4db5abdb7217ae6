"""A quest: the search of one task in a hunt, and its cost so far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from coderobust_strategies import Edit
from coderobust_strategies.shrinking.simplicity import places, simpler
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.hunting.candidates import Drawn, draw_rounds
from pytest_coderobust.hunting.failure import Failure, HuntCost
from pytest_coderobust.hunting.panel import Ballot
from pytest_coderobust.hunting.questions import OutOfBudget, Questions
from pytest_coderobust.hunting.search import Found, search
from pytest_coderobust.records import Cell, Task


@dataclass(slots=True)
class Quest:
    """The search of one task.

    Attributes:
        known: the failures of the task that earlier hunts found.
        drawn: the cell of each variant drawn so far.
        asked: the candidates that are to be answered next.
        found: the result; None while the search goes on.
        clean: the ballot of the clean prompt; None before the first answers.
    """

    task: Task
    known: Sequence[Failure]
    questions: Questions[Edit, Found]
    drawn: dict[frozenset[Edit], Cell]
    asked: Sequence[frozenset[Edit]] = ()
    found: Found | None = None
    completions: int = 0
    batches: int = 0
    clean: Ballot | None = None

    def step(self, answers: Sequence[bool] | None) -> None:
        """Sends answers (None: the budget is spent) and takes the next questions."""
        try:
            if answers is None:
                self.asked = self.questions.throw(OutOfBudget())
            else:
                self.asked = self.questions.send(answers)
        except StopIteration as stop:
            self.asked, self.found = (), stop.value

    @property
    def spent(self) -> HuntCost:
        return HuntCost(self.completions, self.batches)


def make_quest(
    plan: Plan,
    task: Task,
    names: Sequence[str],
    weights: Mapping[str, float],
    known: Sequence[Failure],
) -> Quest:
    """Starts the search of a task, so that its first questions are ready.

    Args:
        names: the perturbations to draw from.
        weights: the damage of each perturbation in earlier runs.
        known: failures of earlier hunts; those of other tasks and prompts are ignored.
    """
    mine = [each for each in known if each.task_id == task.id and each.clean.prompt == task.prompt]
    drawn: dict[frozenset[Edit], Cell] = {}

    def turns() -> Iterator[list[Drawn]]:
        for turn in draw_rounds(plan, task, names, weights):
            drawn.update((each.edits, each.cell) for each in turn)
            yield turn

    def simplest(edit: Edit, edits: frozenset[Edit]) -> list[Edit]:
        others = edits - {edit}
        pool = places(task.prompt, tuple(names), task.entry_point, task.canonical or "")
        return [one for one in simpler(edit, pool) if _fits(one, others)]

    replays = [
        Drawn(frozenset(each.edits), Cell(each.member or each.perturbation, each.seed))
        for each in mine
    ]
    quest = Quest(task, mine, search(replays, turns(), simplest), drawn)
    quest.asked = next(quest.questions)
    return quest


def _fits(edit: Edit, others: Iterable[Edit]) -> bool:
    """Whether an edit overlaps none of the others."""
    return all(
        edit.start != other.start and (edit.stop <= other.start or other.stop <= edit.start)
        for other in others
    )
