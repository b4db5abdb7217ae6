"""Tabulation of a study: from the outcomes of an arm to the rates and intervals of a subset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pytest_coderobust.metrics.adoption import classify_adoption, is_stale
from pytest_coderobust.metrics.attribution import (
    DIFFERENCE,
    RATE,
    AttributedTask,
    attribute,
    bound_mean,
)
from pytest_coderobust.metrics.eligible import count_eligible, uses_and_passes
from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.metrics.outcome import is_solved
from pytest_coderobust.metrics.pass_at_k import pass_at_k
from pytest_coderobust.metrics.stages import count_stages
from pytest_coderobust.migration.study.outcomes import PairKey, PairOutcome
from pytest_coderobust.migration.study.subsets import (
    AdoptionResult,
    EligibleResult,
    RatesAtK,
    StudyAttribution,
    StudyBaseline,
    StudyDifferences,
    StudyRate,
    StudySubset,
    SubsetResult,
)
from pytest_coderobust.records import Adoption, Verdict

ByKey = Mapping[PairKey, PairOutcome]


@dataclass(frozen=True, slots=True)
class StudyReferences:
    """The unedited model's outcomes that arms are compared with, by pair.

    Attributes:
        old: in the old world, its uses watched; not of specificity.
        unedited: under the changes, from a draw of its own.
        none: the arm "none": under sampling another draw.
        ks: every k of the rates.
    """

    old: ByKey
    unedited: ByKey
    none: ByKey
    ks: tuple[int, ...]
    solved_at: float = 0.5


def tabulate(
    subset: StudySubset,
    outcomes: Sequence[PairOutcome],
    references: StudyReferences,
    *,
    compared: bool,
) -> SubsetResult:
    """Makes the result of one subset under one arm.

    Args:
        outcomes: those of this subset; at least one.
        compared: the arm is another one than "none".
    """
    about = subset != "specificity"
    baselines: tuple[tuple[StudyBaseline, ByKey], ...] = (
        *((("old world", references.old),) if about else ()),
        ("no edit", references.unedited),
    )
    attributions = (attribute_arm(outcomes, name, before) for name, before in baselines)
    return SubsetResult(
        subset=subset,
        pairs=len(outcomes),
        tasks=len({each.pair.task for each in outcomes}),
        groups=len({each.pair.group for each in outcomes}),
        rates=tuple(rate_at(outcomes, k) for k in references.ks),
        stages=count_stages(verdict for each in outcomes for verdict in each.verdicts),
        adoption=count_adoption(outcomes) if about else None,
        eligible=find_eligible(outcomes, references) if about else None,
        attributions=tuple(each for each in attributions if each is not None),
        against_none=compare(outcomes, references.none, about=about) if compared else None,
    )


def bound(
    outcomes: Sequence[PairOutcome], values: Sequence[float], extremes: Sequence[float] = RATE
) -> StudyRate:
    """Takes the mean of one value a pair with its interval.

    Args:
        extremes: the values that a pair may have: of a rate, or of a difference.
    """
    groupings = [[each.pair.group for each in outcomes]]
    if all(each.pair.subset == "specificity" for each in outcomes):
        # The same tasks are asked after every edit: edits are drawn, and so are tasks. The wider
        # interval of the two covers (docs/metrics.md has the simulation).
        groupings.append([each.pair.task for each in outcomes])
    bounds = [each for each in (bound_mean(by, values, extremes) for by in groupings) if each]
    if not bounds:
        return StudyRate(sum(values) / len(values))
    low, high = min(each.low for each in bounds), max(each.high for each in bounds)
    return StudyRate(bounds[0].value, low, high)


def make_rate(found: Estimate) -> StudyRate:
    return StudyRate(found.value, found.low, found.high)


def rate_at(outcomes: Sequence[PairOutcome], k: int) -> RatesAtK:
    """Computes pass@k, partial@k and compile@k, each unbiased."""
    counts = [(each.counts, each.partial) for each in outcomes]
    return RatesAtK(
        k,
        bound(outcomes, [pass_at_k(c.n, c.passed, k) for c, _ in counts]),
        bound(outcomes, [pass_at_k(c.n, partial, k) for c, partial in counts]),
        bound(outcomes, [pass_at_k(c.n, c.compiled, k) for c, _ in counts]),
    )


def is_correct(verdict: Verdict) -> bool:
    """Whether a sample uses the new API and passes."""
    return classify_adoption(verdict) is Adoption.CORRECT


def share(outcome: PairOutcome, counts: Callable[[Verdict], bool]) -> float:
    """Computes the share of a pair's samples that count."""
    return sum(map(counts, outcome.own_verdicts)) / len(outcome.verdicts)


def count_adoption(outcomes: Sequence[PairOutcome]) -> AdoptionResult:
    """Counts samples by adoption."""
    samples = [verdict for each in outcomes for verdict in each.own_verdicts]
    found = Counter(map(classify_adoption, samples))
    stale = sum(map(is_stale, samples))
    return AdoptionResult(
        correct=found[Adoption.CORRECT],
        incorrect=found[Adoption.INCORRECT],
        workaround=found[Adoption.WORKAROUND],
        stale=stale,
        other=found[Adoption.NONE] - stale,
        correct_rate=bound(outcomes, [share(each, is_correct) for each in outcomes]),
        stale_rate=bound(outcomes, [share(each, is_stale) for each in outcomes]),
    )


def find_eligible(outcomes: Sequence[PairOutcome], references: StudyReferences) -> EligibleResult:
    """Finds what became of the tasks where the unedited model used the API and passed."""
    before = {each.pair.key: references.old[each.pair.key].own_verdicts for each in outcomes}
    counts = count_eligible(
        {f"{edit}/{task}": verdicts for (edit, task), verdicts in before.items()},
        {f"{each.pair.edit}/{each.pair.task}": each.own_verdicts for each in outcomes},
        references.solved_at,
    )
    eligible = [
        each
        for each in outcomes
        if is_solved(
            len(before[each.pair.key]),
            sum(map(uses_and_passes, before[each.pair.key])),
            references.solved_at,
        )
    ]
    rate = bound(eligible, [share(each, is_correct) for each in eligible]) if eligible else None
    return EligibleResult(counts, rate)


def attribute_arm(
    outcomes: Sequence[PairOutcome], baseline: StudyBaseline, before: ByKey
) -> StudyAttribution | None:
    """Attributes the change in pass@1 against a baseline; None where there is no such pair."""
    tasks = [
        AttributedTask(each.pair.group, before[each.pair.key].counts, each.counts)
        for each in outcomes
        if each.pair.key in before
    ]
    found = attribute(tasks)
    if found is None:
        return None
    shares = found.mean.shares
    return StudyAttribution(
        baseline=baseline,
        tasks=found.tasks,
        groups=found.groups,
        change=float(found.mean.change),
        compiling=make_rate(found.compiling)
        if found.compiling
        else StudyRate(float(found.mean.compiling)),
        post=make_rate(found.post) if found.post else StudyRate(float(found.mean.post)),
        pooled=(float(found.pooled.compiling), float(found.pooled.post)),
        shares=None if shares is None else (float(shares[0]), float(shares[1])),
        flagged=found.flagged,
        few=found.few,
    )


def compare(outcomes: Sequence[PairOutcome], none: ByKey, *, about: bool) -> StudyDifferences:
    """Compares an arm with "none", pair by pair."""
    pairs = [(each, none[each.pair.key]) for each in outcomes]

    def difference(value: Callable[[PairOutcome], float]) -> StudyRate:
        changes = [value(arm) - value(base) for arm, base in pairs]
        return bound(outcomes, changes, DIFFERENCE)

    return StudyDifferences(
        passed=difference(lambda each: each.passed / len(each.verdicts)),
        correct=difference(lambda each: share(each, is_correct)) if about else None,
        stale=difference(lambda each: share(each, is_stale)) if about else None,
    )
