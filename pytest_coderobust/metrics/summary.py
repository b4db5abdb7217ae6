"""The summary of one suite's run: the numbers of every condition, and the items left out.

Reports show these values and gates decide on them; neither computes any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_coderobust.metrics.adoption import AdoptionCounts, count_adoptions
from pytest_coderobust.metrics.comparison import RunComparison
from pytest_coderobust.metrics.condition import (
    ConditionKind,
    ConditionSummary,
    summarise_clean,
    summarise_perturbed,
)
from pytest_coderobust.metrics.edits import EditSummary, summarise_edits
from pytest_coderobust.metrics.eligible import EligibleCounts
from pytest_coderobust.metrics.interval import CONFIDENCE
from pytest_coderobust.metrics.noise_floor import NoiseFloor
from pytest_coderobust.metrics.quality_numbers import QualitySummary
from pytest_coderobust.metrics.unseen import pool_unseen
from pytest_coderobust.records import CLEAN, Observation, Square, Status, SuiteRun

ALL = "all"
"""The name of the condition that pools every perturbation of the plan."""


@dataclass(frozen=True, slots=True)
class Summary:
    """All numbers of one suite's run.

    Attributes:
        conditions: clean, the perturbations in plan order, levels, those that were trained on and
            the unseen ones where the run says so, then "all".
        tasks, items: planned.
        observed: planned items with an observation, measured or not.
        unusable: (task id, reason) of each task that the self-check rejected.
        unchecked: ids of measured tasks that the self-check could not check.
        skipped: (reason, items) of the planned items that could not be asked.
        completions, truncated, unfinished, refused, thought_tokens: of the whole suite.
        incomplete: why the run is partial, "" when every planned item was observed.
        in_process: ids of measured tasks that were judged in the solution's own process.
        adoption: of each condition, where a task declares an API change.
        base: the numbers of the model before it was edited, over the same prompts; None where it
            was not edited.
        edits: the numbers about the edits; None likewise.
        comparison: with a baseline, where there is one that can be compared.
        floor: the noise floor of the clean pass@k, where it was measured.
        quality: of the solutions, where it was judged.
        eligible: of tasks with API changes, those where the old API was used and passed before.
    """

    conditions: tuple[ConditionSummary, ...]
    tasks: int
    items: int
    observed: int
    unusable: tuple[tuple[str, str], ...]
    unchecked: tuple[str, ...]
    skipped: tuple[tuple[str, int], ...]
    completions: int
    truncated: int
    incomplete: str
    in_process: tuple[str, ...] = ()
    adoption: tuple[AdoptionCounts, ...] = ()
    base: Summary | None = None
    edits: EditSummary | None = None
    comparison: RunComparison | None = None
    floor: NoiseFloor | None = None
    quality: QualitySummary | None = None
    eligible: EligibleCounts | None = None
    unfinished: int = 0
    refused: int = 0
    thought_tokens: int = 0

    def condition(self, name: str) -> ConditionSummary | None:
        """The condition of that name, or None when the plan has none."""
        return next((found for found in self.conditions if found.name == name), None)


def summarise(run: SuiteRun, confidence: float = CONFIDENCE) -> Summary:
    """Computes every number of the run; the order of its observations does not matter.

    Args:
        confidence: of the intervals.

    Raises:
        UsageError: a k is more than the samples of some prompt.
    """
    planned = len(run.tasks) * len(run.cells)
    observed = count_observed(run)
    # The run says why it is partial; the plan is counted too, so that it cannot forget to.
    missing = f"{planned - observed} of {planned} items not measured"
    reasons = Counter(o.reason for o in run.observations if o.status is Status.SKIPPED)
    return Summary(
        conditions=summarise_conditions(run, confidence),
        tasks=len(run.tasks),
        items=planned,
        observed=observed,
        unusable=list_unusable(run),
        unchecked=list_unchecked(run),
        skipped=tuple(sorted(reasons.items())),
        completions=sum(o.n for o in run.observations if o.measured),
        truncated=sum(o.truncated for o in run.observations if o.measured),
        incomplete=run.incomplete or (missing if observed < planned else ""),
        in_process=list_in_process(run),
        adoption=count_adoptions(run),
        base=summarise(take_base_run(run), confidence) if run.editing else None,
        edits=summarise_edits(run.editing, run.solved_at) if run.editing else None,
        unfinished=sum(o.unfinished for o in run.observations if o.measured),
        refused=sum(o.refused for o in run.observations if o.measured),
        thought_tokens=sum(o.thought_tokens for o in run.observations if o.measured),
    )


def count_observed(run: SuiteRun) -> int:
    """Counts the squares that were observed, each once."""
    rows = {task: place for place, task in enumerate(run.tasks)}
    columns = {cell: place * len(rows) for place, cell in enumerate(run.cells)}
    planned = bytearray(len(rows) * len(columns))  # a set of a million squares takes 200 MB
    others: set[Square] = set()
    for o in run.observations:
        row, column = rows.get(o.task_id), columns.get(o.cell)
        if row is None or column is None:
            others.add((o.task_id, o.cell))
        else:
            planned[column + row] = 1
    return sum(planned) + len(others)


def take_base_run(run: SuiteRun) -> SuiteRun:
    """Takes the run of the model before it was edited."""
    return replace(run, observations=run.base, base=(), editing=None)


def summarise_conditions(run: SuiteRun, confidence: float) -> tuple[ConditionSummary, ...]:
    """Summarises every condition of the plan, measured or not."""
    # A prompt that the model was edited on is shown and counts in no rate, before or after.
    counted = [o for o in run.observations if not o.self_edited]
    own: dict[str, list[Observation]] = {}
    for observation in counted:
        own.setdefault(observation.cell.perturbation, []).append(observation)
    variants = Counter(cell.perturbation for cell in run.cells if not cell.is_clean)

    def pooled(name: str, kind: ConditionKind, members: Sequence[str]) -> ConditionSummary:
        return summarise_perturbed(
            name,
            kind,
            tuple(members),
            [observation for member in members for observation in own.get(member, ())],
            variants=sum(variants[member] for member in members),
            ks=run.ks,
            confidence=confidence,
        )

    names = tuple(variants)
    return (
        summarise_clean(counted, run.ks, confidence),
        *(pooled(name, "perturbation", (name,)) for name in names),
        *(
            pooled(name, "level", members)
            for name, members in pool_levels(names, run.levels).items()
        ),
        *(
            pooled(name, "training", members)
            for name, members in pool_unseen(names, run.train).items()
        ),
        *([pooled(ALL, "all", names)] if names and ALL not in names else ()),
    )


def pool_levels(perturbations: Sequence[str], levels: Mapping[str, str]) -> dict[str, list[str]]:
    """Pools the perturbations of each level, in plan order.

    A perturbation named like a level keeps the name; that level then has no condition of its own.
    """
    members: dict[str, list[str]] = {}
    for name in perturbations:
        level = levels.get(name, "")
        if level and level not in (*perturbations, CLEAN, ALL):
            members.setdefault(level, []).append(name)
    return members


def list_unusable(run: SuiteRun) -> tuple[tuple[str, str], ...]:
    """Lists the tasks that the self-check rejected, in plan order, with the reason."""
    # One task's items agree on the reason; taking the least keeps the order of items out of it.
    reasons: dict[str, str] = {}
    for o in run.observations:
        if o.status is Status.UNUSABLE:
            reasons[o.task_id] = min(o.reason, reasons.get(o.task_id, o.reason))
    return tuple((task, reasons[task]) for task in run.tasks if task in reasons)


def list_unchecked(run: SuiteRun) -> tuple[str, ...]:
    """Lists the measured tasks that the self-check could not check, in plan order."""
    unchecked = {o.task_id for o in run.observations if o.measured and not o.checked}
    return tuple(task for task in run.tasks if task in unchecked)


def list_in_process(run: SuiteRun) -> tuple[str, ...]:
    """Lists the tasks that were judged in the solution's own process, in plan order."""
    found = {o.task_id for o in run.observations if o.in_process}
    return tuple(task for task in run.tasks if task in found)
