"""The five runs that every pair must pass before it is in a benchmark.

    1  the canonical solution passes without the change          (once a task)
    2  a solution that does nothing fails                        (once a task)
    3  the canonical solution fails under the change
    4  the rewritten one passes under the change, uses the new name and never reaches for the old
    5  the rewritten one fails without the change

Of an API that was removed there is no rewritten solution: 4 and 5 fall away, and in 3 the solution
must have reached for the old name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from pytest_coderobust.migration.corpus import CorpusProblem
from pytest_coderobust.migration.pairs import ChangePair
from pytest_coderobust.records import ApiChange, Verdict
from pytest_coderobust.sandbox.calibration import JudgeAll, calibrate, calibrate_like
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.tasks.stubs import make_stub

Checks: TypeAlias = "dict[str, Check]"


@dataclass(slots=True)
class PairChecker:
    """Judges pairs; what is known about a task is found out once.

    Attributes:
        broken: tasks that cannot measure anything, with the reason.
    """

    judge: JudgeAll
    broken: dict[str, str] = field(default_factory=dict[str, str])
    _calibrated: Checks = field(default_factory=dict[str, Check])

    def check_tasks(self, problems: Iterable[CorpusProblem]) -> None:
        """Judges the canonical solution and the stub of each task."""
        new = [each for each in problems if each.task.id not in self._calibrated]
        before = [make_canonical_check(each, each.solution) for each in new]
        for problem, (check, verdict) in zip(new, calibrate(before, self.judge), strict=True):
            self._calibrated[problem.task.id] = check
            if not verdict.full:
                why = _describe(verdict)
                self.broken[problem.task.id] = f"the canonical solution fails anyway ({why})"
        stubs = [self._check(each, make_stub(each.task)) for each in new]
        for problem, verdict in zip(new, self.judge(stubs), strict=True):
            if verdict.full:
                reason = "a solution that does nothing passes its tests"
                self.broken.setdefault(problem.task.id, reason)

    def check_pairs(self, pairs: Sequence[ChangePair]) -> tuple[ChangePair, ...]:
        """Judges pairs; those that fail come back with the reason."""
        self.check_tasks(each.problem for each in pairs)
        known = [self._explain_task(pair) for pair in pairs]
        runs = [self._list_runs(pair) for pair in known]
        verdicts = iter(self.judge([check for run in runs for check in run]))
        found: list[ChangePair] = []
        for pair, run in zip(known, runs, strict=True):
            judged = [next(verdicts) for _ in run]
            reason = explain_runs(judged) if judged else pair.reason
            found.append(replace(pair, reason=reason))
        return tuple(found)

    def check_world(
        self, problems: Sequence[CorpusProblem], changes: Sequence[ApiChange]
    ) -> list[str]:
        """Judges canonical solutions under all changes at once; a reason for each, or ""."""
        self.check_tasks(problems)
        sound = [each for each in problems if each.task.id not in self.broken]
        found = dict.fromkeys((each.task.id for each in problems), "")
        found.update({each.task.id: self.broken.get(each.task.id, "") for each in problems})
        checks = [self._check(each, each.solution, *changes) for each in sound]
        for problem, verdict in zip(sound, self.judge(checks), strict=True):
            if any(use.old for use in verdict.api_uses):
                found[problem.task.id] = "it reaches for an old name"
            elif not verdict.full:
                found[problem.task.id] = f"it fails under the changes ({_describe(verdict)})"
        return [found[each.task.id] for each in problems]

    def _explain_task(self, pair: ChangePair) -> ChangePair:
        return pair if pair.reason else replace(pair, reason=self.broken.get(pair.key[1], ""))

    def _list_runs(self, pair: ChangePair) -> list[Check]:
        if pair.reason:
            return []
        runs = [self._check(pair.problem, pair.problem.solution, pair.change)]
        if pair.change.new:
            runs.append(self._check(pair.problem, pair.rewritten, pair.change))
            runs.append(self._check(pair.problem, pair.rewritten))
        return runs

    def _check(self, problem: CorpusProblem, solution: str, *changes: ApiChange) -> Check:
        check = make_canonical_check(problem, solution)
        like = calibrate_like(check, self._calibrated[problem.task.id])
        return replace(like, api_changes=changes)


def make_canonical_check(problem: CorpusProblem, solution: str) -> Check:
    """Makes the check of a solution of a problem, as it would follow the prompt."""
    task = problem.task
    return Check(task.prompt + solution, task.entry_point, task.tests)


def explain_runs(verdicts: Sequence[Verdict]) -> str:
    """The reason that runs 3 to 5 give against a pair, or ""."""
    before, *others = verdicts
    if before.full:
        return "the canonical solution passes under the change too"
    if not others:
        reached = any(use.old for use in before.api_uses)
        return "" if reached else "the tests never come to the old name"
    under, without = others
    if not under.full:
        return f"the rewritten solution fails ({_describe(under)})"
    if not any(use.new for use in under.api_uses):
        return "the tests never come to the new name"
    if any(use.old for use in under.api_uses):
        return "the rewritten solution still reaches for the old name"
    if without.full:
        return "the rewritten solution passes without the change too"
    return ""


def _describe(verdict: Verdict) -> str:
    """The failure and the exception's name; the rest of a detail may hold addresses."""
    name = verdict.detail.partition(":")[0]
    return f"{verdict.failure}, {name}" if name.isidentifier() else verdict.failure


def list_reasons(pairs: Iterable[ChangePair]) -> Mapping[str, Mapping[str, str]]:
    """Lists the reasons against pairs, by API and task."""
    found: dict[str, dict[str, str]] = {}
    for pair in pairs:
        if pair.reason:
            found.setdefault(pair.key[0], {})[pair.key[1]] = pair.reason
    return found
