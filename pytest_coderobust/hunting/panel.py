"""Panel of draws: a model is asked about many prompts at once, repeatedly if it samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from coderobust_strategies import Edit, apply_edits
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.engine.observations import Answered, join_left_out
from pytest_coderobust.errors import UsageError
from pytest_coderobust.hunting.failure import ShownPrompt, Votes
from pytest_coderobust.records import Cell, Sampling, Task, Variant

HUNTED = "hunted"
"""The name of the perturbation of prompts that are in no plan."""

_FAR = 1_000_003
"""Distance of the sampling seeds of two draws: suites of neighbouring seeds share no draw."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """Rule for a model that samples: a prompt breaks it if at least k of n draws fail.

    A draw is one answer of the suite: its n samples, which solve the task or not by `solved_at`.
    """

    k: int = 2
    n: int = 3

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.n:
            raise UsageError(f"confirm: expected 1 <= k <= n, got k={self.k}, n={self.n}")


@dataclass(frozen=True, slots=True)
class Question:
    """A task under a set of edits."""

    task: Task
    edits: frozenset[Edit]

    @property
    def variant(self) -> Variant:
        prompt = apply_edits(self.task.prompt, self.edits)
        return Variant(self.task, Cell(HUNTED), prompt, tuple(sorted(self.edits)))


@dataclass(slots=True)
class Ballot:
    """The draws of one question so far."""

    answers: list[Answered]
    failed: int = 0

    @property
    def votes(self) -> Votes:
        return Votes(self.failed, len(self.answers))

    @property
    def completions(self) -> int:
        return sum(answered.n for answered in self.answers)

    @property
    def shown(self) -> ShownPrompt:
        """Every completion of every draw."""
        return ShownPrompt(
            self.answers[0].variant.prompt,
            tuple(each for answered in self.answers for _, each in answered.completions),
            tuple(each for answered in self.answers for _, each in answered.verdicts),
            dict(self._list_left_out()),
        )

    def _list_left_out(self) -> Iterator[tuple[int, str]]:
        """Lists what was left out of solutions, by the sample's place among all draws."""
        first = 0
        for answered in self.answers:
            for sample, text in join_left_out(answered).items():
                yield first + sample, text
            first += answered.n


class Panel:
    """A suite's measurement that is asked about sets of edits.

    Args:
        confirm: the number of draws of a sampling model; a greedy one is asked once.
    """

    def __init__(self, measurement: Measurement, confirm: Confirm) -> None:
        self.measurement = measurement
        greedy = measurement.sampling.greedy
        self.confirm = Confirm(1, 1) if greedy else confirm
        self._fresh = 0 if greedy else confirm.n

    def vote(self, questions: Sequence[Question]) -> list[Ballot]:
        """Draws a ballot for each question until k of n is decided either way."""
        return self._vote(questions, 0)

    def vote_again(self, questions: Sequence[Question]) -> list[Ballot]:
        """Draws new ballots with noise that no search has seen; greedy ballots stay the same."""
        return self._vote(questions, self._fresh)

    def broke(self, ballot: Ballot) -> bool:
        return ballot.failed >= self.confirm.k

    def most(self, questions: int) -> int:
        """The largest number of completions that `questions` questions can take."""
        return questions * self.confirm.n * self.measurement.sampling.n

    def _vote(self, questions: Sequence[Question], first: int) -> list[Ballot]:
        k, n = self.confirm.k, self.confirm.n
        ballots = [Ballot([]) for _ in questions]
        sure = min(k, n - k + 1)  # fewer draws decide nothing
        self._draw(questions, ballots, range(first, first + sure))
        for draw in range(first + sure, first + n):
            open_ = [i for i, ballot in enumerate(ballots) if self._undecided(ballot)]
            if not open_:
                break
            self._draw([questions[i] for i in open_], [ballots[i] for i in open_], [draw])
        return ballots

    def _undecided(self, ballot: Ballot) -> bool:
        passed = len(ballot.answers) - ballot.failed
        return not self.broke(ballot) and passed <= self.confirm.n - self.confirm.k

    def _draw(
        self, questions: Sequence[Question], ballots: Sequence[Ballot], draws: Iterable[int]
    ) -> None:
        variants = [question.variant for question in questions]
        for draw in draws:
            answers = self.measurement.answer_all(variants, self._sampling(draw))
            for ballot, answered in zip(ballots, answers, strict=True):
                ballot.answers.append(answered)
                ballot.failed += not self.measurement.solved(answered)

    def _sampling(self, draw: int) -> Sampling:
        """Makes the sampling of a draw; draw 0 is the suite's own, which the ledger may have."""
        sampling = self.measurement.sampling
        return replace(sampling, seed=sampling.seed + draw * _FAR)
