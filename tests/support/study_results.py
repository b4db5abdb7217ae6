"""A small study that was written by hand, for what renders and stores studies."""

from __future__ import annotations

from pytest_coderobust.metrics.eligible import EligibleCounts
from pytest_coderobust.metrics.stages import StageCounts
from pytest_coderobust.migration.study.result import (
    ArmResult,
    ChangedApi,
    StudyCheckpoint,
    StudyEdit,
    StudyGateLine,
    StudyResult,
)
from pytest_coderobust.migration.study.subsets import (
    AdoptionResult,
    EligibleResult,
    RatesAtK,
    RegressionResult,
    StudyAttribution,
    StudyDifferences,
    StudyRate,
    StudySubset,
    SubsetResult,
)


def make_subset(
    subset: StudySubset, passed: int, correct: int, *, compared: bool = True
) -> SubsetResult:
    """Makes the result of 12 samples, of which `passed` pass and `correct` adopt."""
    share = StudyRate(passed / 12, max(0, passed - 2) / 12, min(12, passed + 2) / 12)
    adoption = AdoptionResult(
        correct, 0, passed - correct, 12 - passed, 0, StudyRate(correct / 12), StudyRate(0.25)
    )
    about = subset != "specificity"
    return SubsetResult(
        subset=subset,
        pairs=12,
        tasks=12,
        groups=2,
        rates=(RatesAtK(1, share, share, share),),
        stages=StageCounts(12, 12, 11, passed, passed),
        adoption=adoption if about else None,
        eligible=EligibleResult(
            EligibleCounts(12, 8, correct, 0, 0, 8 - correct, 0, 8 - correct), StudyRate(0.5)
        )
        if about
        else None,
        attributions=(
            StudyAttribution(
                "no edit",
                12,
                2,
                -0.5,
                StudyRate(-0.3),
                StudyRate(-0.2),
                (-0.3, -0.2),
                None,
                0,
                True,
            ),
        ),
        against_none=StudyDifferences(
            StudyRate(0.25, 0.0, 0.5), StudyRate(0.25) if about else None, None
        )
        if compared
        else None,
    )


def make_arm(name: str, passed: int, correct: int, refused: str = "") -> ArmResult:
    """Makes an arm with two edits."""
    compared = name != "none"
    return ArmResult(
        name=name,
        kind="editor" if compared else "none",
        about=f"the model under {name}",
        request_form="solution" if compared else "",
        checkpoints=(
            StudyCheckpoint(
                edits=2,
                subsets=(
                    make_subset("reliability", passed, correct, compared=compared),
                    make_subset("generalisation", passed, correct, compared=compared),
                    make_subset("specificity", 10, 0, compared=compared),
                ),
                regressions=RegressionResult(2, 6, 12, 2, 0, StudyRate(1 / 6), 1, ("Q/7", "Q/8")),
            ),
        ),
        edits=(
            StudyEdit(
                ("math.sqrt -> math.mean",), ("Q/1[math.sqrt-s0]",), 1.5, 12.0, 0.1, 9.0, 0.1
            ),
            StudyEdit(("statistics.mean -> statistics.sum",), refused=refused),
        ),
        seconds=1.5,
        answering=3.25,
        peak_mb=12.0,
    )


def make_study() -> StudyResult:
    """Makes a study of two changes and two arms."""
    return StudyResult(
        suite="story",
        model="tiny",
        regime="instant",
        world="own",
        seed=0,
        samples=1,
        temperature=0.0,
        ks=(1,),
        redrawn="changes",
        changes=(
            ChangedApi("math.sqrt", "math.mean", "", "math.sqrt -> math.mean", 3, 6),
            ChangedApi(
                "statistics.mean", "statistics.sum", "", "statistics.mean -> statistics.sum", 3, 6
            ),
        ),
        specificity=6,
        before=(make_subset("reliability", 11, 11, compared=False),),
        arms=(make_arm("none", 0, 0), make_arm("lora", 6, 5, "the edit moved nothing")),
        gates=(StudyGateLine("stale[none] <= 0.05", "fails", 0.25),),
    )
