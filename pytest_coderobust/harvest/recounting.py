"""Count of the branches that the cases of finished tasks take: cases were dropped and added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_coderobust.harvest.cases import encode_case
from pytest_coderobust.harvest.children import ask
from pytest_coderobust.harvest.drafts import HarvestDraft


def recount_branches(
    drafts: Sequence[HarvestDraft], home: str, folder: Path
) -> tuple[list[HarvestDraft], list[HarvestDraft]]:
    """Counts the branches of each draft by its cases, in a process for each module.

    Returns:
        The drafts with their branches, and those whose cases could not be run again.
    """
    groups: dict[str, list[HarvestDraft]] = {}
    for each in drafts:
        groups.setdefault(each.function.module.name, []).append(each)
    counted: dict[str, tuple[int, int]] = {}
    for name, own in groups.items():
        for function, branches in _count_module(own, home, folder).items():
            counted[f"{name}.{function}"] = branches
    found = [
        replace(each, branches=counted[each.function.full_name])
        for each in drafts
        if each.function.full_name in counted
    ]
    return found, [each for each in drafts if each.function.full_name not in counted]


def _count_module(
    drafts: Sequence[HarvestDraft], home: str, folder: Path
) -> dict[str, tuple[int, int]]:
    module = drafts[0].function.module
    asked = [
        {
            "name": each.function.qualname,
            "lines": [each.function.body_lines.start, each.function.body_lines.stop - 1],
            "cases": [encode_case(case) for case in each.cases],
        }
        for each in drafts
    ]
    request = {"module": module.name, "path": str(module.path), "home": home, "recount": asked}
    answers, _ = ask(request, folder, "0")
    return {answer["name"]: (answer["branches"][0], answer["branches"][1]) for answer in answers}
