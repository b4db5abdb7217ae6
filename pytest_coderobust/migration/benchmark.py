"""Benchmarks of API migration, built of a corpus: changes, their tasks, and tasks beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pytest_coderobust.config.api_changes import MOST
from pytest_coderobust.errors import DataError
from pytest_coderobust.migration.checking import PairChecker, list_reasons
from pytest_coderobust.migration.corpus import Corpus, CorpusProblem
from pytest_coderobust.migration.draws import order_by_draw
from pytest_coderobust.migration.kinds import ABOUT, Kinds
from pytest_coderobust.migration.library import find_kind
from pytest_coderobust.migration.naming import NameSource
from pytest_coderobust.migration.pairs import Candidates, find_candidates
from pytest_coderobust.migration.splitting import PRESETS, Share, assign_owners, share_out
from pytest_coderobust.records import ApiChange
from pytest_coderobust.sandbox.calibration import JudgeAll

Report = Callable[[str], None]
"""Called with a sentence about each stage."""


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """The sources of a benchmark, and the choices it is built with.

    Attributes:
        tasks: the corpus's sources, as they were named.
        preset: a name of `PRESETS`.
    """

    tasks: tuple[str, ...]
    kinds: Kinds
    names: NameSource
    preset: str = "capped"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A built benchmark.

    Attributes:
        shares: the tasks of each change that is in it, by API.
        changes: by API, those of `shares`.
        excluded: why pairs were left out, by API and task.
        specificity: tasks that no change is about, in drawn order.
        survived: APIs and problems of which a pair passed every check.
        left_out: APIs that are not in it, with the reason.
    """

    plan: BuildPlan
    corpus: Corpus
    shares: Mapping[str, Share]
    changes: Mapping[str, ApiChange]
    excluded: Mapping[str, Mapping[str, str]]
    specificity: tuple[CorpusProblem, ...]
    survived: tuple[int, int]
    left_out: Mapping[str, str]

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Changes, and tasks of reliability, generalisation and specificity."""
        shares = self.shares.values()
        reliability = sum(len(share.reliability) for share in shares)
        generalisation = sum(len(share.generalisation) for share in shares)
        return len(self.shares), reliability, generalisation, len(self.specificity)


def build_benchmark(
    plan: BuildPlan, corpus: Corpus, judge: JudgeAll, report: Report = lambda _: None
) -> Benchmark:
    """Builds a benchmark; every pair in it has passed the five runs.

    Raises:
        DataError: no change has enough tasks.
        SandboxError: the harness failed on a check.
    """
    candidates = find_candidates(corpus, plan.kinds, plan.names, plan.seed)
    report(f"{len(candidates.changes)} changes, {len(candidates.pairs)} pairs with a task")
    checker = PairChecker(judge)
    checked = checker.check_pairs(candidates.pairs)
    good = [pair for pair in checked if not pair.reason]
    preset = PRESETS[plan.preset]
    shares = share_out(assign_owners(good), preset, plan.seed)
    if not shares:
        raise DataError(
            f"{', '.join(plan.tasks)}: no API has {preset.least} tasks that pass every check, of "
            f"{len(candidates.pairs)} pairs of an API and a task"
        )
    changes = {api: candidates.changes[api] for api in shares}
    report(f"{len(good)} pairs passed; now the tasks beside them")
    return Benchmark(
        plan,
        corpus,
        shares,
        changes,
        list_reasons(checked),
        pick_beside(plan, corpus, changes, checker, preset.specificity),
        (len({pair.key[0] for pair in good}), len({pair.key[1] for pair in good})),
        explain_left_out(candidates, {pair.key[0] for pair in good}, shares, preset.least),
    )


def explain_left_out(
    candidates: Candidates, survived: set[str], shares: Mapping[str, Share], least: int
) -> dict[str, str]:
    """Explains why APIs are in no benchmark, by API."""
    found = dict(candidates.unnamed)
    for api in candidates.changes:
        if api not in survived:
            found[api] = "none of its tasks passed every check"
        elif api not in shares:
            found[api] = f"it owns fewer than {least} tasks"
    return dict(sorted(found.items()))


def pick_beside(
    plan: BuildPlan,
    corpus: Corpus,
    changes: Mapping[str, ApiChange],
    checker: PairChecker,
    count: int,
) -> tuple[CorpusProblem, ...]:
    """Picks tasks that use no changed API, and pass while all changes are in force.

    First come tasks that use an API of the same kinds, or a builtin type, that has not changed.
    """
    beside = [each for each in corpus.problems if not changes.keys() & each.uses.keys()]
    by_id = {problem.task.id: problem for problem in beside}
    drawn = [by_id[task] for task in order_by_draw(plan.seed, "specificity", "", by_id)]
    drawn.sort(key=lambda problem: not any(find_kind(api) in ABOUT for api in problem.uses))
    picked: list[CorpusProblem] = []
    while drawn and len(picked) < count:
        batch, drawn = drawn[: count - len(picked)], drawn[count - len(picked) :]
        picked += _keep_sound(batch, tuple(changes.values()), checker)
    return tuple(picked)


def _keep_sound(
    problems: Sequence[CorpusProblem], changes: Sequence[ApiChange], checker: PairChecker
) -> list[CorpusProblem]:
    """Keeps the problems that pass under all changes, as many at once as there may be."""
    for at in range(0, len(changes), MOST):
        reasons = checker.check_world(problems, changes[at : at + MOST])
        problems = [each for each, why in zip(problems, reasons, strict=True) if not why]
    return list(problems)
