"""The old world of a run: its clean answers judged again as if no API had changed.

A prompt says nothing about the changes, so the unedited model's answers are the same in both
worlds, and only the sandbox is asked anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pytest_coderobust.engine.events import Listener
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.engine.selfcheck import check_oracle
from pytest_coderobust.engine.verdicts import VerdictStore
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.metrics.eligible import EligibleCounts, count_eligible, watch_api
from pytest_coderobust.records import Observation, Task, Verdict
from pytest_coderobust.sandbox.check import Check


def count_in_old_world(
    plan: Plan,
    judge: VerdictStore,
    ledger: Ledger,
    run: str,
    observations: Iterable[Observation],
    listen: Listener,
) -> EligibleCounts:
    """Counts the tasks where the model used an old API and passed, and what became of them.

    Args:
        run: the key of the observations in the ledger.
        observations: those of clean prompts under changes count.

    Raises:
        SandboxError: the harness failed.
        OracleError: the suite cannot judge a model.
    """
    with ledger.lease():
        selfcheck = check_oracle(plan.tasks, plan.config, judge, listen)  # known from the run
    after: dict[str, list[Verdict]] = {}
    checks: dict[str, list[Check]] = {}
    for each in observations:
        if not each.cell.is_clean or not each.adoptions:
            continue
        found = ledger.evidence(run, each.task_id, each.cell)
        if found is None:
            continue
        verdicts = ledger.verdicts(found.verdicts)
        completions = ledger.completions(found.completions)
        task = _undo_changes(plan.tasks[each.task_id])
        after[each.task_id] = [verdicts[key] for key in found.verdicts]
        checks[each.task_id] = [
            selfcheck.check(task, completions[key], plan.config) for key in found.completions
        ]
    with ledger.lease():
        judged = iter(judge.in_order([check for own in checks.values() for check in own]))
    before = {task: [next(judged) for _ in own] for task, own in checks.items()}
    return count_eligible(before, after, plan.config.solved_at)


def _undo_changes(task: Task) -> Task:
    """Puts a task back into the old world, with its APIs watched."""
    return replace(task, api_changes=tuple(map(watch_api, task.api_changes)))
