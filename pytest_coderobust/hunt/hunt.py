"""Hunts on many tasks at once: their questions share batches, ledger and budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from coderobust_strategies import Edit
from coderobust_strategies.shrinking.simplicity import places, simpler
from pytest_coderobust.engine.budget import Budget, Purse
from pytest_coderobust.engine.events import HuntAdvanced, HuntDone, HuntStarted, Listener, silent
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.errors import UsageError
from pytest_coderobust.hunt.candidates import Drawn, draw_rounds, estimate_damage, list_members
from pytest_coderobust.hunt.failure import Failure, HuntCost
from pytest_coderobust.hunt.panel import Ballot, Confirm, Panel, Question
from pytest_coderobust.hunt.questions import OutOfBudget, Questions
from pytest_coderobust.hunt.search import Found, search
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import KeyedBy
from pytest_coderobust.records import Cell, Observation, Status, Task, digest

TOGETHER = 32
"""Tasks that are hunted at once; with `ROUND` variants each they fill any batch."""

HuntEnding = Literal["found", "robust", "unsolved", "budget", "unconfirmed"]


@dataclass(frozen=True, slots=True)
class Hunted:
    """What came of one task.

    Attributes:
        ending: "found", or why there is no failure: every variant was "robust", the clean
            prompt "unsolved", the "budget" spent, or the minimum "unconfirmed" by fresh noise.
        replayed: the known failures of the task, and whether each still fails.
    """

    task_id: str
    ending: HuntEnding
    failure: Failure | None
    spent: HuntCost
    replayed: tuple[tuple[Failure, bool], ...] = ()


@dataclass(slots=True)
class _Quest:
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


@dataclass(slots=True)
class Hunt:
    """A hunt on one suite.

    Attributes:
        suite: how records name the suite.
        names: the perturbations to search; aggregates stand for their members.
        reproduce: the command that shows a task's failure again, by task id.
    """

    measurement: Measurement
    ledger: Ledger
    suite: str
    names: tuple[str, ...]
    budget: Budget = field(default_factory=Budget)
    confirm: Confirm = field(default_factory=Confirm)
    reproduce: Callable[[str], str] = str
    listen: Listener = silent

    def run(self, tasks: Sequence[Task], known: Sequence[Failure] = ()) -> Iterator[Hunted]:
        """Hunts on the tasks; each result comes as soon as it is there.

        Raises:
            UsageError: the model answers squares of a plan, not prompts, or a name is unknown.
            ModelError, SandboxError: the harness failed.
        """
        check_huntable(self.measurement.keyed_by, self.measurement.model.name)
        panel = Panel(self.measurement, self.confirm)
        weights = estimate_damage(self.ledger.observations_of(self.measurement.plan.config.name))
        drawn_from, _ = list_members(self.names)
        purse = Purse(self.budget)
        waiting = iter([self._make_quest(task, drawn_from, weights, known) for task in tasks])
        live: list[_Quest] = []
        done = found = 0
        self.ledger.describe(
            self._run, self.measurement.plan.config.name, self.measurement.model, ""
        )
        self.listen(HuntStarted(self.measurement.plan.config.name, len(tasks)))
        try:
            while live := [*live, *_take(waiting, TOGETHER - len(live))]:
                self._round(panel, purse, live)
                ended = [quest for quest in live if quest.found is not None]
                live = [quest for quest in live if quest.found is None]
                for hunted in self._conclude(panel, ended):
                    done, found = done + 1, found + (hunted.failure is not None)
                    yield hunted
                self.listen(HuntAdvanced(done, found, purse.spent))
        finally:
            self.listen(HuntDone())

    @property
    def _run(self) -> str:
        """Where observations of a hunt are kept: beside those of the suite, in no report."""
        return digest("hunt", self.measurement.run)

    def _make_quest(
        self,
        task: Task,
        names: Sequence[str],
        weights: Mapping[str, float],
        known: Sequence[Failure],
    ) -> _Quest:
        mine = [
            each for each in known if each.task_id == task.id and each.clean.prompt == task.prompt
        ]
        drawn: dict[frozenset[Edit], Cell] = {}

        def turns() -> Iterator[list[Drawn]]:
            for turn in draw_rounds(self.measurement.plan, task, names, weights):
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
        quest = _Quest(task, mine, search(replays, turns(), simplest), drawn)
        quest.asked = next(quest.questions)
        return quest

    def _round(self, panel: Panel, purse: Purse, live: Sequence[_Quest]) -> None:
        """One question of every live quest, in common batches."""
        asking: list[_Quest] = []
        for quest in live:
            while quest.found is None and not purse.affords(
                quest.completions, panel.most(len(quest.asked))
            ):
                quest.step(None)
            if quest.found is None:
                purse.spent += panel.most(len(quest.asked))
                asking.append(quest)
        questions = [Question(each.task, edits) for each in asking for edits in each.asked]
        ballots = iter(panel.vote(questions) if questions else ())
        for quest in asking:
            mine = [next(ballots) for _ in quest.asked]
            cost = sum(ballot.completions for ballot in mine)
            purse.spent += cost - panel.most(len(mine))
            quest.completions += cost
            quest.batches += 1
            self._remember(panel, quest, mine)
            quest.step([panel.broke(ballot) for ballot in mine])

    def _remember(self, panel: Panel, quest: _Quest, ballots: Sequence[Ballot]) -> None:
        """Keeps what each variant did, so that the next hunt starts with the worst."""
        for edits, ballot in zip(quest.asked, ballots, strict=True):
            if not edits:
                quest.clean = ballot
            cell = quest.drawn.get(edits)
            if cell is not None:
                status = Status.BROKEN if panel.broke(ballot) else Status.ROBUST
                draws = len(ballot.answers)
                seen = Observation(quest.task.id, cell, status, draws, draws - ballot.failed)
                self.ledger.observe(self._run, seen)

    def _conclude(self, panel: Panel, quests: Sequence[_Quest]) -> Iterator[Hunted]:
        """Confirms what was found, together, and makes records of it."""
        minima = [
            (quest, quest.found.minimum.edits)
            for quest in quests
            if quest.found is not None and quest.found.minimum is not None
        ]
        questions = [Question(quest.task, edits) for quest, edits in minima]
        ballots = panel.vote_again(questions) if questions else []
        confirmed = {id(quest): ballot for (quest, _), ballot in zip(minima, ballots, strict=True)}
        for quest in quests:
            assert quest.found is not None
            ballot = confirmed.get(id(quest))
            failure = None
            ending: HuntEnding = quest.found.outcome
            if ballot is not None:
                ending = "found" if panel.broke(ballot) else "unconfirmed"
                failure = self._make_failure(quest, ballot) if ending == "found" else None
            still = quest.found.still or (False,) * len(quest.known)
            replayed = tuple(zip(quest.known, still, strict=True)) if quest.found.still else ()
            yield Hunted(quest.task.id, ending, failure, quest.spent, replayed)

    def _make_failure(self, quest: _Quest, ballot: Ballot) -> Failure:
        assert quest.found is not None
        minimum, first = quest.found.minimum, quest.found.first
        assert minimum is not None
        assert first is not None
        assert quest.clean is not None
        return Failure(
            suite=self.suite,
            task_id=quest.task.id,
            entry_point=quest.task.entry_point,
            model=self.measurement.model,
            sampling=self.measurement.sampling,
            perturbation=",".join(self.names),
            member=first.cell.perturbation,
            seed=first.cell.seed,
            edits=tuple(sorted(minimum.edits)),
            first_edits=tuple(sorted(first.edits)),
            clean=quest.clean.shown,
            broken=ballot.shown,
            minimal=minimum.minimal,
            votes=ballot.votes,
            spent=quest.spent,
            reproduce=self.reproduce(quest.task.id),
        )


def check_huntable(keyed_by: KeyedBy, model: str) -> None:
    """Refuses a model whose answers do not follow from the prompt.

    Raises:
        UsageError: it replays, or knows the solutions.
    """
    if keyed_by != "prompt":
        raise UsageError(
            f"model {model!r} answers by task and perturbation, whatever the prompt says; "
            "there is no prompt to hunt for"
        )


def _fits(edit: Edit, others: Iterable[Edit]) -> bool:
    """Whether an edit touches none of the others."""
    return all(
        edit.start != other.start and (edit.stop <= other.start or other.stop <= edit.start)
        for other in others
    )


def _take(quests: Iterator[_Quest], count: int) -> Iterator[_Quest]:
    for _, quest in zip(range(count), quests, strict=False):
        yield quest
