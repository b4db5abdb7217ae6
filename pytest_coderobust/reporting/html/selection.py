"""The items that a page holds: all of a run that a browser bears, the failing ones of a larger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_coderobust.records import Observation, Status
from pytest_coderobust.results.conclusion import SuiteReport

MOST = 20_000
"""Items up to which a page holds them all, and the most that one holds."""


def select_items(reports: Sequence[SuiteReport], most: int = MOST) -> list[SuiteReport]:
    """Selects the items that a page holds; the reports keep their numbers.

    Where there are more than `most` in all, these are the clean prompts that are not solved and
    the variants that are broken: of each condition the same number, or all it has.
    """
    if sum(len(report.run.observations) for report in reports) <= most:
        return list(reports)
    failing = [group_failing(report) for report in reports]
    sizes = [len(group) for groups in failing for group in groups.values()]
    share = find_share(sizes, most)
    return [
        keep_items(report, [o for group in groups.values() for o in group[:share]])
        for report, groups in zip(reports, failing, strict=True)
    ]


def group_failing(report: SuiteReport) -> Mapping[str, list[Observation]]:
    """Groups the items that fail by condition, each in plan order."""
    found: dict[str, list[Observation]] = {}
    for o in report.run.observations:
        if o.status is (Status.UNSOLVED if o.cell.is_clean else Status.BROKEN):
            found.setdefault(o.cell.perturbation, []).append(o)
    return found


def find_share(sizes: Sequence[int], most: int) -> int:
    """Finds the largest number that each may have so that all together have `most` or fewer."""
    left, share = most, 0
    waiting = sorted(sizes)
    while waiting:
        share = left // len(waiting)
        if waiting[0] > share:
            return share
        left -= waiting.pop(0)
    return share


def keep_items(report: SuiteReport, kept: Sequence[Observation]) -> SuiteReport:
    """Keeps some observations of a report, and the tasks that they are of."""
    names = {o.task_id for o in kept}
    run = replace(
        report.run,
        tasks=tuple(task for task in report.run.tasks if task in names),
        observations=tuple(kept),
    )
    return replace(report, result=replace(report.result, run=run))


def describe_selection(report: SuiteReport, selected: SuiteReport) -> str:
    """Describes what of a suite's items the page holds; "" where it holds all."""
    items, held = len(report.run.observations), len(selected.run.observations)
    if held == items:
        return ""
    failing = sum(map(len, group_failing(report).values()))
    which = "all that fail" if held == failing else f"the first of {failing:,} that fail"
    return (
        f"This page holds {held:,} of {items:,} items, {which} (clean prompts that are not solved, "
        f"variants that are broken) of each condition; {items - held:,} were left out. The numbers "
        "above are of all items, and the JSON report has each."
    )
