"""Results of one subset of a study's tasks: rates, adoption, attribution and regressions.

Rates are means over pairs of an edit and a task. Their intervals redraw whole changes, because
edits differ more than tasks do; after successive edits there is one trajectory, so tasks are
redrawn (`StudyResult.redrawn`). An end is None where there is only one group to redraw, and
intervals of fewer than `metrics.attribution.FEW` groups are to be marked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_coderobust.metrics.eligible import EligibleCounts
from pytest_coderobust.metrics.stages import StageCounts

StudySubset = Literal["reliability", "generalisation", "specificity"]
SUBSETS: tuple[StudySubset, ...] = ("reliability", "generalisation", "specificity")
StudyBaseline = Literal["old world", "no edit"]


@dataclass(frozen=True, slots=True)
class StudyRate:
    """A mean with the ends of its 95 % interval; None where nothing can be redrawn."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class RatesAtK:
    """Rates of one k, unbiased: every test passes, at least one does, every name is found."""

    k: int
    passed: StudyRate
    partial: StudyRate
    compiled: StudyRate


@dataclass(frozen=True, slots=True)
class AdoptionResult:
    """Samples of tasks that a change is about, by adoption; the five counts sum to all of them.

    Attributes:
        correct_rate, stale_rate: shares of samples.
    """

    correct: int
    incorrect: int
    workaround: int
    stale: int
    other: int
    correct_rate: StudyRate
    stale_rate: StudyRate

    @property
    def samples(self) -> int:
        return self.correct + self.incorrect + self.workaround + self.stale + self.other


@dataclass(frozen=True, slots=True)
class EligibleResult:
    """Adoption where the unedited model, in the old world, uses the API and passes.

    Attributes:
        adoption: the share of correct adoptions; None where no task is eligible.
    """

    counts: EligibleCounts
    adoption: StudyRate | None


@dataclass(frozen=True, slots=True)
class StudyAttribution:
    """The change in pass@1 against a baseline, split in two by Shapley's values.

    Attributes:
        baseline: "old world": the unedited model before anything changed; "no edit": the unedited
            model under the same changes.
        change: compiling + post.
        pooled: (compiling, post) of the mean rates, which can blame the wrong factor.
        shares: of the change, (compiling, post); None unless both have its sign.
        flagged: tasks where nothing compiles on one side.
    """

    baseline: StudyBaseline
    tasks: int
    groups: int
    change: float
    compiling: StudyRate
    post: StudyRate
    pooled: tuple[float, float]
    shares: tuple[float, float] | None
    flagged: int
    few: bool


@dataclass(frozen=True, slots=True)
class StudyDifferences:
    """An arm minus the arm "none", pair by pair.

    Attributes:
        passed: of pass@1.
        correct, stale: of the shares of adoption; None for specificity.
    """

    passed: StudyRate
    correct: StudyRate | None
    stale: StudyRate | None


@dataclass(frozen=True, slots=True)
class SubsetResult:
    """One subset of the tasks under one arm.

    Attributes:
        pairs: pairs of an edit and a task; each has the study's number of samples.
        tasks: different tasks in them.
        groups: the number of groups that intervals redraw.
        stages: samples that came to each stage at least.
        adoption, eligible: None for specificity, which no change is about.
        attributions: against each baseline; specificity has "no edit" alone.
        against_none: None for the arm "none" itself.
    """

    subset: StudySubset
    pairs: int
    tasks: int
    groups: int
    rates: tuple[RatesAtK, ...]
    stages: StageCounts
    adoption: AdoptionResult | None
    eligible: EligibleResult | None
    attributions: tuple[StudyAttribution, ...]
    against_none: StudyDifferences | None


@dataclass(frozen=True, slots=True)
class RegressionResult:
    """Specificity tasks that an arm loses, against the unedited model under the same changes.

    Attributes:
        edits: measured edits.
        tasks: |S|; `edits_with_lost` grows with it, so the two belong beside each other.
        solved: pairs of an edit and a task that are solved without the edit.
        lost, repaired: pairs that turned unsolved, and solved.
        rate: lost / solved; None where nothing is solved.
        edits_with_lost: edits that lose one task or more.
        lost_tasks: the tasks that some edit loses.
    """

    edits: int
    tasks: int
    solved: int
    lost: int
    repaired: int
    rate: StudyRate | None
    edits_with_lost: int
    lost_tasks: tuple[str, ...]

    @property
    def share_of_edits(self) -> float:
        return self.edits_with_lost / self.edits if self.edits else 0.0
