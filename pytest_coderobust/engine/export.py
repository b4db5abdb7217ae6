"""Export of a plan's variants as JSON lines, for training sets and other harnesses."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from coderobust_strategies.variant import NOT_DRAWN
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.engine.variants import make_variant, prepare
from pytest_coderobust.errors import DataError
from pytest_coderobust.records import Task, Variant


@dataclass(frozen=True, slots=True)
class Exported:
    """The outcome of an export.

    Attributes:
        rows: variants written.
        left_out: the number of variants that were not written, by reason ("no eligible site").
    """

    rows: int
    left_out: Mapping[str, int]


def export(plan: Plan, path: Path) -> Exported:
    """Writes every variant of the plan's perturbations to a JSONL file, in plan order.

    Samples that `sample_ratio` leaves clean are written too: the file is the whole mixture.

    Raises:
        DataError: a prompt cannot be perturbed, there is nothing to write, or the file cannot be
            written; a file that was there before is then unchanged.
    """
    lines: list[str] = []
    left_out: Counter[str] = Counter()
    for cell in plan.cells[1:]:
        prepare(plan, ((task, cell) for task in plan.tasks))
        for task in plan.tasks.values():
            variant = make_variant(plan, task, cell)
            if variant.skipped and variant.skipped != NOT_DRAWN:
                left_out[variant.skipped] += 1
            else:
                lines.append(json.dumps(make_row(task, variant), ensure_ascii=True) + "\n")
    if not lines:
        why = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        raise DataError(f"there is nothing to write to {path}: {why or 'no perturbation is named'}")
    try:
        path.write_text("".join(lines), encoding="ascii")
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error}") from None
    return Exported(len(lines), dict(left_out))


def make_row(task: Task, variant: Variant) -> dict[str, object]:
    """Makes the row of a variant; a change of code adds the entry point, solution and tests."""
    found: dict[str, object] = {
        "task_id": task.id,
        "perturbation": variant.cell.perturbation,
        "seed": variant.cell.seed,
        "original_prompt": task.prompt,
        "prompt": variant.prompt,
        "edits": [asdict(edit) for edit in variant.edits],
    }
    if variant.member:
        found["member"] = variant.member
    judge = variant.task
    if judge is not task:
        found |= {
            "entry_point": judge.entry_point,
            "canonical_solution": judge.canonical,
            "test": judge.tests.source,
        }
    return found
