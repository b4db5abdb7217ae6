"""The comparison of models that were trained on different rows of the same data.

Fine-tuning changes a model whatever the rows are, so each training is compared with the *control*:
the same base, seed and steps on clean rows. RD falls when clean pass@k does, so each model also has
the RD that it would have with the control's clean pass@k (`rd_held`).

Levels are compared as in Liu et al. 2026: Wilcoxon's signed ranks over the pairs (training, test
perturbation), grouped by the level of the one or of the other. These pairs share tasks, bases and
controls, so they are not independent and p is too small; the interval of a mean change draws tasks
again, in all pairs at once. Holm's adjustment is over the tests of a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pytest_coderobust.metrics.bootstrap import estimate_drop
from pytest_coderobust.metrics.comparison import RateChange
from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.metrics.paired import (
    compare,
    count_squares,
    list_perturbations,
    list_shared,
    pair_values,
)
from pytest_coderobust.metrics.rank_sums import adjust_holm
from pytest_coderobust.metrics.resampling import Spread, measure_spread
from pytest_coderobust.metrics.robustness import drop, mean
from pytest_coderobust.metrics.significance import Wilcoxon, wilcoxon
from pytest_coderobust.metrics.summary import ALL, summarise
from pytest_coderobust.metrics.unseen import UNSEEN
from pytest_coderobust.records import SuiteRun

LevelSide = Literal["training", "test"]


@dataclass(frozen=True, slots=True)
class GridModel:
    """A model of a grid, and the run of the suite on it.

    Attributes:
        trained: the set that it was trained on; "" for the base itself.
        seed: of the training; None for the base itself.
        level: the level of the set's perturbation; "" for the base and for clean rows.
        steps: of the training.
    """

    base: str
    trained: str
    seed: int | None
    level: str
    steps: int
    run: SuiteRun


@dataclass(frozen=True, slots=True)
class GridEntry:
    """The numbers of one model; None where undefined.

    Attributes:
        perturbed: pass@k over all perturbations of the suite.
        unseen: pass@k over those that the model was not trained on; None too where it was trained
            on none.
        rd_held: RD with the control's clean pass@k in the place of its own, over the same tasks.
        matched: whether the control took as many steps; None where there is no control.
        changes: against the control, of every condition.
        holm: the p-values of the changes that have one, adjusted over the whole grid.
    """

    base: str
    trained: str
    seed: int | None
    steps: int
    clean: Estimate | None
    perturbed: Estimate | None
    rd: Estimate | None
    unseen: Estimate | None = None
    rd_held: Estimate | None = None
    matched: bool | None = None
    changes: tuple[RateChange, ...] = ()
    holm: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class LevelTest:
    """Wilcoxon's test of the pairs of one level.

    Attributes:
        side: whether the level is that of the training set or of the test perturbation.
        measure: "pass@1", or "rd", for which less is better.
        pairs: (training, test perturbation) beside its control, equal ones too.
        mean: the mean change from the control.
        spread: that mean with its interval over tasks; None for RD.
        test: None where no pair differs.
        holm: its p, adjusted over all tests of the grid's levels.
    """

    side: LevelSide
    level: str
    measure: str
    pairs: int
    mean: float
    spread: Spread | None
    test: Wilcoxon | None
    holm: float | None = None


@dataclass(frozen=True, slots=True)
class GridNumbers:
    """All numbers of a grid.

    Attributes:
        control: the set whose models are the controls; "" where the grid has none, and nothing
            that it shows can be attributed to the perturbation of rows.
    """

    k: int
    tasks: int
    control: str
    models: tuple[GridEntry, ...]
    levels: tuple[LevelTest, ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    """One training under one test perturbation, beside its control."""

    training: str
    test: str
    passed: float
    rd: float | None
    tasks: tuple[tuple[str, float], ...]


def measure_grid(models: Sequence[GridModel], control: str, margin: float) -> GridNumbers:
    """Computes the numbers of a grid.

    Args:
        models: at least one; their runs are of one plan.
        control: the set whose models are the controls.
        margin: the loss of pass@k that does not matter, as a share of 1.
    """
    controls = {(each.base, each.seed): each for each in models if each.trained == control}
    entries: list[GridEntry] = []
    pairs: list[_Pair] = []
    for each in models:
        entry = _describe(each)
        own = controls.get((each.base, each.seed))
        if own is not None and own is not each:
            entry = _compare(entry, each, own, margin)
            pairs += _pair(each, own)
        entries.append(entry)
    first = models[0].run
    return GridNumbers(
        k=min(first.ks),
        tasks=len(first.tasks),
        control=control if controls else "",
        models=_adjust_entries(entries),
        levels=_adjust_levels(list(_test_levels(pairs, min(first.ks)))),
    )


def _describe(model: GridModel) -> GridEntry:
    summary, k = summarise(model.run), min(model.run.ks)
    clean, pooled = summary.conditions[0], summary.condition(ALL)
    unseen = summary.condition(UNSEEN) if model.run.train else None
    return GridEntry(
        base=model.base,
        trained=model.trained,
        seed=model.seed,
        steps=model.steps,
        clean=clean.scores[k].pass_at_k,
        perturbed=pooled.scores[k].pass_at_k if pooled else None,
        rd=pooled.scores[k].rd if pooled else None,
        unseen=unseen.scores[k].pass_at_k if unseen else None,
    )


def _compare(entry: GridEntry, model: GridModel, control: GridModel, margin: float) -> GridEntry:
    before, after = count_squares(control.run), count_squares(model.run)
    names = list_perturbations(model.run)
    shared = list_shared(before, after, model.run)
    values = pair_values(shared, names, before, after, min(model.run.ks))
    rows = [(each[2], each[1]) for each in values if len(each) == 4]
    clean, own = [row[0] for row in rows], [row[1] for row in rows]
    return replace(
        entry,
        rd_held=estimate_drop(drop(mean(clean), mean(own)), clean, own) if rows else None,
        matched=model.steps == control.steps,
        changes=compare(before, after, model.run, margin).changes,
    )


def _pair(model: GridModel, control: GridModel) -> Iterable[_Pair]:
    """Pairs a training with its control under each test perturbation."""
    before, after = count_squares(control.run), count_squares(model.run)
    shared = list_shared(before, after, model.run)
    k = min(model.run.ks)
    for name in list_perturbations(model.run):
        tasks = list(dict.fromkeys(task for task, cell in shared if cell.perturbation == name))
        values = pair_values(shared, (name,), before, after, k)
        if not values:
            continue
        old = drop(mean(v[2] for v in values if len(v) == 4), mean(v[0] for v in values))
        new = drop(mean(v[3] for v in values if len(v) == 4), mean(v[1] for v in values))
        gained = [value[1] - value[0] for value in values]
        yield _Pair(
            training=model.level,
            test=model.run.levels.get(name, ""),
            passed=mean(gained) or 0.0,
            rd=None if old is None or new is None else new - old,
            tasks=tuple(zip(tasks, gained, strict=True)),
        )


def _test_levels(pairs: Sequence[_Pair], k: int) -> Iterable[LevelTest]:
    sides: tuple[LevelSide, ...] = ("training", "test")
    for side in sides:
        for level in dict.fromkeys(getattr(pair, side) for pair in pairs):
            own = [pair for pair in pairs if getattr(pair, side) == level]
            changes = [pair.passed for pair in own]
            spread = measure_spread([[list(pair.tasks) for pair in own]])
            yield _make_test(side, level, f"pass@{k}", changes, spread)
            drops = [pair.rd for pair in own if pair.rd is not None]
            if drops:
                yield _make_test(side, level, "rd", drops, None)


def _make_test(
    side: LevelSide, level: str, measure: str, changes: Sequence[float], spread: Spread | None
) -> LevelTest:
    # Equal shares of tasks differ by rounding; such a difference would get a rank of its own.
    rounded = [round(change, 9) for change in changes]
    value = mean(changes)
    assert value is not None
    return LevelTest(side, level, measure, len(changes), value, spread, wilcoxon(rounded))


def _adjust_levels(tests: Sequence[LevelTest]) -> tuple[LevelTest, ...]:
    adjusted = iter(adjust_holm([each.test.p for each in tests if each.test is not None]))
    return tuple(
        each if each.test is None else replace(each, holm=next(adjusted)) for each in tests
    )


def _adjust_entries(entries: Sequence[GridEntry]) -> tuple[GridEntry, ...]:
    ps = [change.p for entry in entries for change in entry.changes if change.p is not None]
    adjusted = iter(adjust_holm(ps))
    return tuple(
        replace(
            entry,
            holm={
                change.condition: next(adjusted) for change in entry.changes if change.p is not None
            },
        )
        for entry in entries
    )
