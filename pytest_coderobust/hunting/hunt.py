"""A hunt on many tasks at once: their questions share batches, ledger and budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pytest_coderobust.engine.budget import Budget, Purse
from pytest_coderobust.engine.events import HuntAdvanced, HuntDone, HuntStarted, Listener, silent
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.errors import UsageError
from pytest_coderobust.hunting.candidates import estimate_damage, list_members
from pytest_coderobust.hunting.failure import Failure, HuntCost
from pytest_coderobust.hunting.panel import Ballot, Confirm, Panel, Question
from pytest_coderobust.hunting.quest import Quest, make_quest
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import KeyedBy
from pytest_coderobust.records import Observation, Status, Task, digest

TOGETHER = 32
"""Tasks that are searched at once; with `ROUND` variants each they fill any batch."""

HuntEnding = Literal["found", "robust", "unsolved", "budget", "unconfirmed"]


@dataclass(frozen=True, slots=True)
class Hunted:
    """The outcome of one task's search.

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
class Hunt:
    """A hunt on one suite.

    Attributes:
        suite: the suite's name in records.
        names: the perturbations to search; an aggregate is replaced by its members.
        reproduce: makes the command that shows the failure of a task id again.
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
        """Searches the tasks; yields each outcome as soon as it is known.

        Raises:
            UsageError: the model does not answer by the prompt, or a name is unknown.
            ModelError, SandboxError: the harness failed.
        """
        check_huntable(self.measurement.keyed_by, self.measurement.model.name)
        panel = Panel(self.measurement, self.confirm)
        plan = self.measurement.plan
        suite = plan.config.name
        weights = estimate_damage(self.ledger.squares.read_of(suite))
        drawn_from, _ = list_members(self.names)
        purse = Purse(self.budget)
        waiting = iter([make_quest(plan, task, drawn_from, weights, known) for task in tasks])
        live: list[Quest] = []
        done = found = 0
        self.ledger.describe(self._run, suite, self.measurement.model, "")
        self.listen(HuntStarted(suite, len(tasks)))
        try:
            while live := [*live, *_take(waiting, TOGETHER - len(live))]:
                self._ask_round(panel, purse, live)
                ended = [quest for quest in live if quest.found is not None]
                live = [quest for quest in live if quest.found is None]
                for hunted in self._conclude(panel, ended):
                    done, found = done + 1, found + (hunted.failure is not None)
                    yield hunted
                self.listen(HuntAdvanced(done, found, purse.spent))
        finally:
            self.measurement.tell_threads(self._run)
            self.listen(HuntDone())

    @property
    def _run(self) -> str:
        """The run of a hunt's observations, which are kept apart from the suite's reports."""
        return digest("hunt", self.measurement.run)

    def _ask_round(self, panel: Panel, purse: Purse, live: Sequence[Quest]) -> None:
        """Asks one set of questions of every live quest, in common batches."""
        asking: list[Quest] = []
        for quest in live:
            # Questions that the budget cannot pay are not asked. `step(None)` ends the search with
            # what it has: nothing, or the smallest failing prompt so far.
            while quest.found is None and not purse.affords(
                quest.completions, panel.most(len(quest.asked))
            ):
                quest.step(None)
            # The most that the questions can cost is set aside now, so that the quests of a round
            # cannot together spend more than is left; the difference is given back below.
            if quest.found is None:
                purse.spent += panel.most(len(quest.asked))
                asking.append(quest)
        questions = [Question(each.task, edits) for each in asking for edits in each.asked]
        # One vote for all, whose ballots come back in the order of the questions.
        ballots = iter(panel.vote(questions) if questions else ())
        for quest in asking:
            mine = [next(ballots) for _ in quest.asked]
            cost = sum(ballot.completions for ballot in mine)
            purse.spent += cost - panel.most(len(mine))
            quest.completions += cost
            quest.batches += 1
            self._remember(panel, quest, mine)
            quest.step([panel.broke(ballot) for ballot in mine])

    def _remember(self, panel: Panel, quest: Quest, ballots: Sequence[Ballot]) -> None:
        """Stores what each variant did, so that the next hunt starts with the most damaging."""
        for edits, ballot in zip(quest.asked, ballots, strict=True):
            if not edits:
                quest.clean = ballot
            cell = quest.drawn.get(edits)
            if cell is not None:
                status = Status.BROKEN if panel.broke(ballot) else Status.ROBUST
                draws = len(ballot.answers)
                seen = Observation(quest.task.id, cell, status, draws, draws - ballot.failed)
                self.ledger.observe(self._run, seen)

    def _conclude(self, panel: Panel, quests: Sequence[Quest]) -> Iterator[Hunted]:
        """Confirms the minima that were found, and yields the outcome of each quest."""
        minima = [
            (quest, quest.found.minimum.edits)
            for quest in quests
            if quest.found is not None and quest.found.minimum is not None
        ]
        questions = [Question(quest.task, edits) for quest, edits in minima]
        # A minimum was chosen because its draws failed, some of them by chance alone. Only a vote
        # with noise that the search has not seen says that the prompt really breaks the model.
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
            # A search that the budget ended before its first answers has replayed no old failure.
            still = quest.found.still
            replayed = tuple(zip(quest.known, still, strict=True)) if still else ()
            yield Hunted(quest.task.id, ending, failure, quest.spent, replayed)

    def _make_failure(self, quest: Quest, ballot: Ballot) -> Failure:
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
    """Refuses a model whose answers do not depend on the prompt.

    Raises:
        UsageError: the model replays completions, or knows the solutions.
    """
    if keyed_by != "prompt":
        raise UsageError(
            f"model {model!r} answers by task and perturbation, whatever the prompt says; "
            "there is no prompt to hunt for"
        )


def _take(quests: Iterator[Quest], count: int) -> Iterator[Quest]:
    for _, quest in zip(range(count), quests, strict=False):
        yield quest
