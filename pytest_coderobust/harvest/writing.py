"""Files of a harvest: rows of tasks, a suite that runs them, and a summary for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator

from pytest_coderobust.harvest.asserting import count_asserts
from pytest_coderobust.harvest.drafts import HarvestDraft
from pytest_coderobust.harvest.functions import LeftOut
from pytest_coderobust.harvest.harvesting import Harvest

SHOWN = 200
"""Names that the summary lists for one reason, at most."""


def write_harvest(harvest: Harvest) -> dict[str, str]:
    """Writes the files of a harvest, by name."""
    rows = [describe_task(harvest, draft) for draft in harvest.tasks]
    return {
        "tasks.jsonl": "".join(f"{json.dumps(row)}\n" for row in rows),
        "suite.toml": write_suite(harvest),
        "summary.md": "".join(_write_summary(harvest)),
    }


def describe_task(harvest: Harvest, draft: HarvestDraft) -> dict[str, object]:
    """Describes a task as a row of its file."""
    function, tests = draft.function, draft.tests
    taken, total = draft.branches
    return {
        "task_id": function.full_name,
        "prompt": draft.prompt.prompt,
        "entry_point": function.name,
        "canonical_solution": draft.prompt.canonical,
        "test": tests.source,
        "helpers": tests.helpers,
        "tags": ["harvest", function.module.name.partition(".")[0]],
        "api_changes": [{"old": change.old} for change in draft.changes],
        "origin": harvest.origin.describe(function.full_name, function.first_line),
        "proof": {
            "tests": count_asserts(tests.source),
            "branches": [taken, total],
            "mutants": draft.mutants,
        },
    }


def write_suite(harvest: Harvest) -> str:
    """Writes a suite that runs the tasks."""
    packages = harvest.origin.packages.names
    sandbox = f"\n[sandbox]\npackages = {json.dumps(list(packages))}\n" if packages else ""
    return (
        f"# Tasks harvested from {harvest.plan.package} by `coderobust harvest`; see summary.md.\n"
        f'[suite]\ntasks = "tasks.jsonl"\nname = "harvest-{harvest.plan.package}"\n'
        'perturbations = ["C1", "C2", "C3"]\n\n[sampling]\nmax_new_tokens = 512\n'
        f"{sandbox}"
    )


def measure_branches(tasks: Iterable[HarvestDraft]) -> str:
    """Says how many branches of the bodies the tests take."""
    counts = [each.branches for each in tasks]
    taken, total = sum(a for a, _ in counts), sum(b for _, b in counts)
    whole = sum(a == b for a, b in counts)
    share = f"{taken / total:.1%}" if total else "none to take"
    return f"{taken} of {total} branches ({share}); every branch of {whole} of {len(counts)} bodies"


def count_reasons(left_out: Iterable[LeftOut]) -> list[tuple[str, list[str]]]:
    """Gathers the names left out for each reason, the most frequent reason first."""
    names: dict[str, list[str]] = {}
    for each in left_out:
        names.setdefault(each.reason, []).append(each.name)
    return sorted(names.items(), key=lambda pair: (-len(pair[1]), pair[0]))


def _write_summary(harvest: Harvest) -> Iterator[str]:
    origin, tasks = harvest.origin, harvest.tasks
    yield f"# Harvest of {harvest.plan.package}\n\n"
    yield f"From {origin.distribution} {origin.version}, licence: {origin.licence}.\n"
    if origin.hidden:
        yield f"Answers cannot import the package: {origin.hidden}.\n"
    yield f"\n- {len(tasks)} tasks kept\n- {len(harvest.weak)} with weak tests, not kept\n"
    yield f"- {len(harvest.left_out)} left out\n- tests take {measure_branches(tasks)}\n"
    if harvest.unreadable:
        yield f"- no Python of this version: {', '.join(harvest.unreadable)}\n"
    yield "\n## Kept\n\n| task | tests | branches | mutants that fail | judged |\n"
    yield "|---|---|---|---|---|\n"
    for each in tasks:
        taken, total = each.branches
        how = "in-process" if each.in_process else "outside"
        count = count_asserts(each.tests.source)
        branches = f"{taken}/{total}" if total else "none"
        yield f"| {each.function.full_name} | {count} | {branches} | {each.mutants} | {how} |\n"
    yield "\n## Weak tests\n\n"
    for weak in harvest.weak:
        yield f"- {weak.name}: {weak.reason}\n"
    yield "\n## Left out\n\n"
    counted = Counter(each.reason for each in harvest.left_out)
    for reason, names in count_reasons(harvest.left_out):
        yield f"- {counted[reason]} because {reason}: {', '.join(names[:SHOWN])}\n"
