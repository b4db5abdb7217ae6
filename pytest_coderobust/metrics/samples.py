"""The numbers of a file of samples: pass@k, and the levels that each task's samples reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_coderobust.errors import UsageError
from pytest_coderobust.metrics.interval import Estimate, estimate
from pytest_coderobust.metrics.pass_at_k import pass_at_k
from pytest_coderobust.records import Level, Verdict

USUAL_KS = (1, 10, 100)


@dataclass(frozen=True, slots=True)
class TaskTally:
    """One task's samples.

    Attributes:
        n, c: samples, and samples that pass every test.
        levels: samples by the level they reached; levels that none reached are absent.
        share: tests passed of all tests, over the task's samples.
    """

    task_id: str
    n: int
    c: int
    levels: Mapping[Level, int]
    share: float


@dataclass(frozen=True, slots=True)
class SampleScores:
    """A file's numbers: one tally for each task that has samples, pass@k by k."""

    tasks: tuple[TaskTally, ...]
    pass_at_k: Mapping[int, Estimate]

    @property
    def n(self) -> int:
        return sum(task.n for task in self.tasks)

    @property
    def c(self) -> int:
        return sum(task.c for task in self.tasks)

    @property
    def levels(self) -> Mapping[Level, int]:
        """The samples of the whole file by the level they reached."""
        total: Counter[Level] = Counter()
        for task in self.tasks:
            total.update(task.levels)
        return total


def score_samples(
    verdicts: Mapping[str, Sequence[Verdict]], ks: Sequence[int] | None = None
) -> SampleScores:
    """Scores samples by task.

    Args:
        verdicts: by task id, at least one each.
        ks: which pass@k; by default those of 1, 10 and 100 that every task has samples for.

    Raises:
        UsageError: a task has fewer samples than a k that was asked for.
    """
    tasks = tuple(_tally(task_id, found) for task_id, found in verdicts.items())
    ks = choose_ks({task.task_id: task.n for task in tasks}, ks)
    draws = sum(task.n for task in tasks)
    found = {k: estimate([pass_at_k(task.n, task.c, k) for task in tasks], draws) for k in ks}
    return SampleScores(tasks, {k: each for k, each in found.items() if each is not None})


def choose_ks(counts: Mapping[str, int], ks: Sequence[int] | None) -> Sequence[int]:
    """Chooses the k that the samples of each task allow; arguments and errors as above."""
    least = min(counts, key=lambda task: counts[task])
    if ks is None:
        return [k for k in USUAL_KS if k <= counts[least]]
    for k in ks:
        if k > counts[least]:
            raise UsageError(
                f"pass@{k} needs {k} samples of every task, and {least} has {counts[least]}"
            )
    return ks


def _tally(task_id: str, verdicts: Sequence[Verdict]) -> TaskTally:
    levels = Counter(verdict.level for verdict in verdicts)
    tests = sum(verdict.total for verdict in verdicts)
    passed = sum(verdict.passed for verdict in verdicts)
    return TaskTally(
        task_id, len(verdicts), levels[Level.FULL], dict(levels), passed / tests if tests else 0.0
    )
