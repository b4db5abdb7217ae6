"""The run of edited models: the base model's observations and the edits, read from the ledger."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace

from pytest_coderobust.engine.edited.measurement import EDITED_RUN
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.records import Square, SuiteRun
from pytest_coderobust.records.codec import decode
from pytest_coderobust.records.editing import Editing, TracedRequest, load
from pytest_coderobust.results.plan_order import order_by_plan


def add_editing(
    run: SuiteRun, plan: Plan, ledger: Ledger, digest: str, seen: Collection[Square]
) -> SuiteRun:
    """Adds the recorded edits to a run; a run without edits stays as it was.

    Args:
        digest: the key of the run's observations in the ledger.
        seen: the squares measured in this session.
    """
    kept = ledger.edits(digest)
    if EDITED_RUN not in kept:
        return run
    body = json.loads(kept.pop(EDITED_RUN))
    placed = order_by_plan(ledger.squares.read(body["base"]), plan.tasks, plan.cells)
    own = {(o.task_id, o.cell) for o in run.observations if o.self_edited}
    base = [
        replace(found, self_edited=square in own)
        for found in placed
        if found is not None and (square := (found.task_id, found.cell)) in seen
    ]
    order = {cell.perturbation: place for place, cell in enumerate(plan.cells)}
    records = sorted(
        (load(text) for text in kept.values()),
        key=lambda record: (order.get(record.perturbation, -1), record.number),
    )
    editing = Editing(
        editors=tuple(body["editors"]),
        regime=body["regime"],
        requests=body["requests"],
        greedy=body["greedy"],
        drawn=body["drawn"],
        records=tuple(record for record in records if record.perturbation in order),
        unedited=body["unedited"],
        notes=tuple(body["notes"]),
        traced=tuple(decode(TracedRequest, each) for each in body.get("traced", ())),
        refused={name: tuple(reasons) for name, reasons in body.get("refused", {}).items()},
    )
    return replace(run, base=tuple(base), editing=editing)
