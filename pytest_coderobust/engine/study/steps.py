"""Steps of a study: its edits, and which task is asked after which of them in which world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pytest_coderobust.config.migration import MigrationConfig
from pytest_coderobust.engine.study.material import MigratedTask, StudyMaterial
from pytest_coderobust.migration.study.outcomes import StudyPair
from pytest_coderobust.migration.study.subsets import StudySubset
from pytest_coderobust.records import ApiChange, Task


@dataclass(frozen=True, slots=True)
class AskedPair:
    """A pair of an edit and a task, with the world that its answers are judged in.

    Attributes:
        task: with every change that is in force.
        told: the changes that notes are about: those edited for so far.
    """

    pair: StudyPair
    task: Task
    told: tuple[ApiChange, ...]


@dataclass(frozen=True, slots=True)
class StudyStep:
    """A measured edit: one change, or the first `number` changes in succession.

    Attributes:
        changes: those edited for so far, in order.
        asked: every pair that is measured.
    """

    number: int
    changes: tuple[ApiChange, ...]
    asked: tuple[AskedPair, ...]


def plan_steps(material: StudyMaterial, config: MigrationConfig) -> tuple[StudyStep, ...]:
    """Plans the measured edits of a study, all arms' alike.

    Tasks of changes that are still to come are measured in no step before their own.
    """
    if config.regime == "instant":
        starts = [(number, number - 1) for number in range(1, len(material.changes) + 1)]
    else:
        starts = [(number, 0) for number in config.list_steps(len(material.changes))]
    worlds = [(number, material.changes[start:number]) for number, start in starts]
    return tuple(
        StudyStep(number, changes, tuple(_list_asked(material, config, number, changes)))
        for number, changes in worlds
    )


def _list_asked(
    material: StudyMaterial,
    config: MigrationConfig,
    number: int,
    changes: tuple[ApiChange, ...],
) -> Iterator[AskedPair]:
    whole = material.changes if config.regime == "instant" else changes
    every = config.world == "all"
    subsets: tuple[tuple[StudySubset, dict[str, tuple[MigratedTask, ...]]], ...] = (
        ("reliability", dict(material.reliability)),
        ("generalisation", dict(material.generalisation)),
    )
    for subset, by_api in subsets:
        for change in changes:
            for each in by_api[change.old]:
                world = whole if every else (change,)
                group = change.old if config.regime == "instant" else each.task.id
                pair = StudyPair(number, each.task.id, group, subset, world.index(change))
                yield AskedPair(pair, replace(each.task, api_changes=world), changes)
    for task in material.specificity:
        group = changes[0].old if config.regime == "instant" else task.id
        pair = StudyPair(number, task.id, group, "specificity")
        world = whole if every else changes
        yield AskedPair(pair, replace(task, api_changes=world), changes)
