"""Variants of the small study: one whose edits add up, and one full of foreign text."""

from __future__ import annotations

from dataclasses import replace

from pytest_coderobust.migration.study.result import ArmResult, StudyCheckpoint, StudyResult
from pytest_coderobust.migration.study.subsets import StudyRate
from support.study_results import make_arm, make_study, make_subset

HOSTILE = "</td><script>alert(1)</script>\u202e\x1b[31m\n'\""
STEPS = (1, 2, 5, 10)


def make_growing_arm(name: str, speed: int) -> ArmResult:
    """Makes an arm that learns with each edit, and forgets what is untouched."""
    arm = make_arm(name, 3, 2, "the edit moved nothing")
    points: list[StudyCheckpoint] = []
    for edits in STEPS:
        passed = min(11, speed * edits // 3)
        subsets = (
            make_subset("reliability", passed, passed, compared=name != "none"),
            make_subset("generalisation", passed, passed // 2, compared=name != "none"),
            make_subset("specificity", 10 - edits, 0, compared=name != "none"),
        )
        points.append(StudyCheckpoint(edits, subsets, arm.final.regressions))
    return replace(arm, checkpoints=tuple(points))


def make_successive_study() -> StudyResult:
    """Makes a study of ten edits that add up, under six arms."""
    speeds = {"none": 0, "note": 1, "codemod": 5, "lora:steps=40,layers=all": 4, "rome": 2}
    arms = tuple(make_growing_arm(name, speed) for name, speed in speeds.items())
    return replace(make_study(), regime="successive", redrawn="tasks", arms=arms)


def make_hostile_study() -> StudyResult:
    """Makes a study with foreign text in each place that takes some, and the widest figures."""
    study = make_study()
    wide = StudyRate(1.0, 0.0, 1.0)
    lost = study.arms[0].final.regressions
    assert lost is not None
    final = replace(
        study.arms[1].final,
        subsets=tuple(
            replace(
                each,
                adoption=replace(each.adoption, correct_rate=wide, stale_rate=wide)
                if each.adoption
                else None,
            )
            for each in study.arms[1].final.subsets
        ),
        regressions=replace(lost, rate=wide, edits=12345, edits_with_lost=12345),
    )
    arm = replace(
        study.arms[1], name=HOSTILE * 9, about=HOSTILE, checkpoints=(final,), seconds=99999.0
    )
    change = replace(study.changes[0], label=HOSTILE)
    gate = replace(study.gates[0], text=HOSTILE, reason=HOSTILE)
    return replace(
        study,
        suite=HOSTILE,
        model=HOSTILE,
        arms=(study.arms[0], arm),
        changes=(change,),
        gates=(gate,),
        notes=(HOSTILE,),
    )
