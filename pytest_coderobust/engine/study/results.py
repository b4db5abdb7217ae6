"""The result of a study, made of what its arms came to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_coderobust.engine.study.editing import ArmEdits
from pytest_coderobust.engine.study.study import ArmOutcomes, Study
from pytest_coderobust.migration.study.outcomes import PairOutcome
from pytest_coderobust.migration.study.regressions import (
    TurnedTasks,
    count_regressions,
    find_turned,
)
from pytest_coderobust.migration.study.result import (
    ArmResult,
    ChangedApi,
    StudyCheckpoint,
    StudyEdit,
    StudyResult,
)
from pytest_coderobust.migration.study.subsets import SUBSETS, StudySubset, SubsetResult
from pytest_coderobust.migration.study.tabulation import StudyReferences, tabulate
from pytest_coderobust.records.editing import EditFacts


def run_study(study: Study) -> StudyResult:
    """Runs a study, or reads what is stored of it, and makes its result.

    Raises:
        ModelError, SandboxError: the harness failed; what was answered stays stored.
    """
    with study.ledger.lease():
        references = study.refer()
        measured = {found.arm.name: found for found in study.measure()}
    arms = tuple(make_arm(study, measured[arm.name], references) for arm in study.arms)
    config, plan = study.config, study.base.plan
    last = study.steps[-1].number
    before = [
        outcome
        for outcome in references.old.values()
        if config.regime == "instant" or outcome.pair.edit == last
    ]
    return StudyResult(
        suite=plan.config.name,
        model=study.base.model.name,
        regime=config.regime,
        world=config.world,
        seed=config.seed,
        samples=plan.config.sampling.n,
        temperature=plan.config.sampling.temperature,
        ks=plan.config.ks,
        redrawn="changes" if config.regime == "instant" else "tasks",
        changes=tuple(list_changes(study)),
        specificity=len(study.material.specificity),
        before=tuple(
            replace(each, attributions=())
            for each in tabulate_subsets(before, references, compared=False)
        ),
        arms=arms,
        notes=tuple(write_notes(study)),
    )


def make_arm(study: Study, found: ArmOutcomes, references: StudyReferences) -> ArmResult:
    """Makes the result of one arm."""
    arm = found.arm
    edits = tuple(list_edits(study, found, references))
    return ArmResult(
        name=arm.name,
        kind=arm.kind,
        about=arm.about,
        request_form=arm.form if arm.spec is not None else "",
        checkpoints=tuple(list_checkpoints(study, found, references)),
        edits=edits,
        seconds=round(sum(edit.seconds for edit in edits), 3),
        answering=study.asker.read_seconds(arm.name),
        peak_mb=max((edit.peak_mb for edit in edits), default=0.0),
    )


def list_checkpoints(
    study: Study, found: ArmOutcomes, references: StudyReferences
) -> Iterator[StudyCheckpoint]:
    """Lists an arm's checkpoints: one for all instant edits, or the curve of successive ones."""
    instant = study.config.regime == "instant"
    numbers = [len(study.material.changes)] if instant else [step.number for step in study.steps]
    for number in numbers:
        own = [each for each in found.outcomes if instant or each.pair.edit == number]
        beside = [each for each in own if each.pair.subset == "specificity"]
        yield StudyCheckpoint(
            edits=number,
            subsets=tabulate_subsets(own, references, compared=found.arm.kind != "none"),
            regressions=count_regressions(beside, references),
        )


def tabulate_subsets(
    outcomes: Sequence[PairOutcome], references: StudyReferences, *, compared: bool
) -> tuple[SubsetResult, ...]:
    """Tabulates each subset that has tasks."""
    by_subset: dict[StudySubset, list[PairOutcome]] = {name: [] for name in SUBSETS}
    for outcome in outcomes:
        by_subset[outcome.pair.subset].append(outcome)
    return tuple(
        tabulate(name, own, references, compared=compared) for name, own in by_subset.items() if own
    )


def list_edits(
    study: Study, found: ArmOutcomes, references: StudyReferences
) -> Iterator[StudyEdit]:
    """Lists the edits of an arm, one a step, with the tasks that each turned."""
    beside = [each for each in found.outcomes if each.pair.subset == "specificity"]
    turned = find_turned(beside, references)
    labels = [change.label for change in study.material.changes]
    start = 0
    for step in study.steps:
        if study.config.regime == "instant":
            start = step.number - 1
        numbers = range(start + 1, step.number + 1)
        own = turned.get(step.number, TurnedTasks())
        yield join_edits(
            found,
            [found.edits.find_facts(number) for number in numbers] if found.edits else [],
            tuple(labels[start : step.number]),
            tuple(r for n in numbers for r in found.edits.list_requests(n)) if found.edits else (),
            own,
        )
        start = step.number


def join_edits(
    found: ArmOutcomes,
    facts: Sequence[EditFacts],
    labels: tuple[str, ...],
    requests: tuple[str, ...],
    turned: TurnedTasks,
) -> StudyEdit:
    """Joins the facts of the edits between two checkpoints: seconds add up, memory is the most."""
    fits = [each.nll for each in facts if each.nll]
    met = [each.met for each in facts if each.met is not None]
    drifts = [each.drift for each in facts if each.drift is not None]
    return StudyEdit(
        changes=labels,
        requests=requests,
        seconds=round(sum(each.seconds for each in facts), 3),
        peak_mb=max((each.peak_mb for each in facts), default=0.0),
        drift=drifts[-1] if drifts else None,
        nll_before=sum(fit[0] for fit in fits) / len(fits) if fits else None,
        nll_after=sum(fit[1] for fit in fits) / len(fits) if fits else None,
        met=all(met) if met else None,
        refused="; ".join(filter(None, (explain(found, found.edits, each) for each in facts))),
        lost=turned.lost,
        repaired=turned.repaired,
    )


def explain(found: ArmOutcomes, edits: ArmEdits | None, facts: EditFacts) -> str:
    """The reason why an edit was not made, or ""."""
    if edits is not None and found.arm.control == "placebo":
        return edits.explain_placebo(facts)
    return "; ".join(facts.refused)


def list_changes(study: Study) -> Iterator[ChangedApi]:
    material = study.material
    for change in material.changes:
        yield ChangedApi(
            change.old,
            change.new,
            change.kind,
            change.label,
            len(material.reliability[change.old]),
            len(material.generalisation[change.old]),
        )


def write_notes(study: Study) -> Iterator[str]:
    """Writes what a report must say besides the numbers."""
    yield from study.base.plan.notes
    unusable = study.base.selfcheck().unusable
    if unusable:
        first, why = next(iter(unusable.items()))
        yield f"{len(unusable)} tasks cannot judge a model, the first is {first}: {why}"
    for arm, reasons in study.asker.refused.items():
        if reasons:
            yield (
                f"{arm}: {len(reasons)} prompts could not be asked and count as unsolved, the "
                f"first is a {reasons[0]}"
            )
    if study.config.regime == "successive":
        yield "successive edits: one order, drawn by the seed; orders were not redrawn"
