"""One condition of a suite as numbers: its rates at each k and the counts they rest on.

A condition is the clean prompts, one perturbation (all its seeds), a level (the perturbations of
one kind together) or "all" of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_coderobust.metrics.bootstrap import estimate_drop
from pytest_coderobust.metrics.interval import CONFIDENCE, Estimate, estimate
from pytest_coderobust.metrics.pass_at_k import pass_at_k
from pytest_coderobust.metrics.robustness import (
    TaskScore,
    average_variants,
    mean,
    relative_degradation,
    robust_drop,
    sum_changes,
    take_worst,
)
from pytest_coderobust.records import CLEAN, Observation, Status

ConditionKind = Literal["clean", "perturbation", "level", "training", "all"]
"""`training` pools what a model was trained on, or what it was not."""


@dataclass(frozen=True, slots=True)
class Scores:
    """A condition's rates at one k, each with its interval; None where undefined.

    Attributes:
        pass_at_k: the mean over tasks, a task being averaged over its variants first.
        clean: pass@k of the same tasks' clean prompts.
        rd: relative degradation; None where `clean` is 0, and for the clean condition.
        robust_pass, robust_drop, robust_relative: ReCode's three, over a task's variants.
    """

    k: int
    pass_at_k: Estimate | None
    clean: float | None = None
    rd: Estimate | None = None
    robust_pass: Estimate | None = None
    robust_drop: Estimate | None = None
    robust_relative: Estimate | None = None


@dataclass(frozen=True, slots=True)
class ConditionSummary:
    """One condition's numbers.

    Attributes:
        members: the perturbations it pools; none for the clean condition.
        variants: planned variants a task, ReCode's s.
        tasks: tasks with at least one measured item: the n of every rate.
        items: measured (task, cell) pairs: the n of the counts of statuses.
        skipped: items without a variant or without a recorded answer.
        completions, truncated, unfinished, refused: completions drawn, those that the token limit
            ended, those that are a thought that never ends, and those that a server refused.
        scores: by k, in the suite's order.
    """

    name: str
    kind: ConditionKind
    members: tuple[str, ...]
    variants: int
    tasks: int
    items: int
    solved: int
    unsolved: int
    robust: int
    broken: int
    skipped: int
    completions: int
    truncated: int
    scores: Mapping[int, Scores]
    unfinished: int = 0
    refused: int = 0


def summarise_clean(
    observations: Sequence[Observation], ks: Iterable[int], confidence: float = CONFIDENCE
) -> ConditionSummary:
    """Summarises the clean condition, over every task whose clean prompt was measured.

    A variant's item measures its task's clean prompt too, so in a run of variants only their
    tasks count as well.

    Args:
        observations: the whole run's.
    """
    own = [o for o in observations if o.cell.is_clean]
    # Edited models differ by perturbation: the clean item of a task speaks for all of them.
    ordered = sorted(observations, key=lambda o: o.cell.is_clean)
    counts = {o.task_id: (o.clean_n, o.clean_c) for o in ordered if o.measured}
    draws = sum(n for n, _ in counts.values())
    scores = {
        k: Scores(k, found, found.value if found else None)
        for k in ks
        for found in [estimate([pass_at_k(n, c, k) for n, c in counts.values()], draws, confidence)]
    }
    return tally_condition(CLEAN, "clean", (), own, variants=1, tasks=len(counts), scores=scores)


def summarise_perturbed(
    name: str,
    kind: ConditionKind,
    members: tuple[str, ...],
    observations: Sequence[Observation],
    *,
    variants: int,
    ks: Iterable[int],
    confidence: float = CONFIDENCE,
) -> ConditionSummary:
    """Summarises the condition that pools the perturbations `members`.

    Args:
        observations: theirs, measured or not.
        variants: how many a task the plan has.
    """
    by_task: dict[str, list[Observation]] = {}
    for observation in observations:
        if observation.measured:
            by_task.setdefault(observation.task_id, []).append(observation)
    return tally_condition(
        name,
        kind,
        members,
        observations,
        variants=variants,
        tasks=len(by_task),
        scores={k: score_tasks(k, list(by_task.values()), confidence) for k in ks},
    )


def score_tasks(
    k: int, tasks: Sequence[Sequence[Observation]], confidence: float = CONFIDENCE
) -> Scores:
    """Computes the rates at k from each task's measured variants."""
    scores = [score_task(k, variants) for variants in tasks]
    clean = [score.clean for score in scores]
    average, lowest = average_variants(scores), take_worst(scores)
    draws = sum(o.n for variants in tasks for o in variants)
    return Scores(
        k=k,
        pass_at_k=estimate(average, draws, confidence),
        clean=mean(clean),
        rd=estimate_drop(relative_degradation(scores), clean, average, confidence),
        robust_pass=estimate(lowest, draws, confidence),
        robust_drop=estimate_drop(robust_drop(scores), clean, lowest, confidence),
        robust_relative=estimate(sum_changes(scores), draws, confidence),
    )


def score_task(k: int, variants: Sequence[Observation]) -> TaskScore:
    """Computes one task's pass@k from its measured variants (at least one)."""
    return TaskScore(
        clean=pass_at_k(variants[0].clean_n, variants[0].clean_c, k),
        variants=tuple(pass_at_k(o.n, o.c, k) for o in variants),
    )


def tally_condition(
    name: str,
    kind: ConditionKind,
    members: tuple[str, ...],
    observations: Sequence[Observation],
    *,
    variants: int,
    tasks: int,
    scores: Mapping[int, Scores],
) -> ConditionSummary:
    """Makes a condition with the counts of its observations."""
    statuses = Counter(o.status for o in observations)
    measured = [o for o in observations if o.measured]
    return ConditionSummary(
        name=name,
        kind=kind,
        members=members,
        variants=variants,
        tasks=tasks,
        items=len(measured),
        solved=statuses[Status.SOLVED],
        unsolved=statuses[Status.UNSOLVED],
        robust=statuses[Status.ROBUST],
        broken=statuses[Status.BROKEN],
        skipped=statuses[Status.SKIPPED],
        completions=sum(o.n for o in measured),
        truncated=sum(o.truncated for o in measured),
        scores=scores,
        unfinished=sum(o.unfinished for o in measured),
        refused=sum(o.refused for o in measured),
    )
