"""Each condition beside the clean prompts of the same tasks: both rates, and which items changed.

A perturbation that some tasks cannot take is measured on fewer tasks than the clean prompts are, so
its clean rate is taken over its own tasks. An item is a task under a cell; it is *broken* or
*robust* as everywhere (`pytest_coderobust.metrics.outcome`), and *fixed* where the perturbed prompt
is solved and the clean one is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pytest_coderobust.metrics.condition import ConditionKind, ConditionSummary
from pytest_coderobust.metrics.interval import Estimate, estimate
from pytest_coderobust.metrics.outcome import is_solved
from pytest_coderobust.metrics.pass_at_k import pass_at_k
from pytest_coderobust.records import Observation, SuiteRun


@dataclass(frozen=True, slots=True)
class CleanPairs:
    """One condition's tasks, clean and perturbed.

    Attributes:
        tasks: tasks with a measured variant, the n of both rates.
        clean, perturbed: pass@k of the clean prompts and of the variants; None without a task.
        rd: relative degradation; None where it is undefined.
        robust, broken, fixed, unsolved: measured items, each in one of the four.
    """

    condition: str
    kind: ConditionKind
    k: int
    tasks: int
    clean: Estimate | None
    perturbed: Estimate | None
    rd: Estimate | None
    robust: int
    broken: int
    fixed: int
    unsolved: int

    @property
    def items(self) -> int:
        """Measured items."""
        return self.robust + self.broken + self.fixed + self.unsolved


def pair_conditions(
    run: SuiteRun, conditions: Iterable[ConditionSummary]
) -> tuple[CleanPairs, ...]:
    """Pairs every perturbed condition with its clean prompts, at the run's smallest k.

    Args:
        conditions: of the run's summary, in any order; the clean one is passed over.
    """
    # As in the rates: a prompt that the model was edited on counts nowhere.
    own: dict[str, list[Observation]] = {}
    for o in run.observations:
        if o.measured and not o.self_edited:
            own.setdefault(o.cell.perturbation, []).append(o)
    return tuple(
        pair_condition(
            run,
            condition,
            [o for member in condition.members for o in own.get(member, ())],
        )
        for condition in conditions
        if condition.kind != "clean"
    )


def pair_condition(
    run: SuiteRun, condition: ConditionSummary, measured: list[Observation]
) -> CleanPairs:
    """Pairs one condition.

    Args:
        measured: its measured observations.
    """
    k = min(run.ks)
    clean = {o.task_id: (o.clean_n, o.clean_c) for o in measured}
    draws = sum(n for n, _ in clean.values())
    solved = [
        (is_solved(o.clean_n, o.clean_c, run.solved_at), is_solved(o.n, o.c, run.solved_at))
        for o in measured
    ]
    scores = condition.scores[k]
    return CleanPairs(
        condition=condition.name,
        kind=condition.kind,
        k=k,
        tasks=len(clean),
        clean=estimate([pass_at_k(n, c, k) for n, c in clean.values()], draws),
        perturbed=scores.pass_at_k,
        rd=scores.rd,
        robust=solved.count((True, True)),
        broken=solved.count((True, False)),
        fixed=solved.count((False, True)),
        unsolved=solved.count((False, False)),
    )
