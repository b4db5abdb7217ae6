"""The JSON document of one or several suites, described by schema.json beside it.

It adds no clock, path or host of its own, so the same ledger gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from pytest_coderobust.metrics.condition import ConditionSummary, Scores
from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.metrics.noise_floor import NoiseFloor
from pytest_coderobust.metrics.summary import Summary
from pytest_coderobust.records import Bill
from pytest_coderobust.reporting.json.adoption import encode_adoption
from pytest_coderobust.reporting.json.comparison import encode_comparison
from pytest_coderobust.reporting.json.edits import encode_edits
from pytest_coderobust.reporting.json.items import (
    EncodeItems,
    count_refused,
    delay_items,
    encode_items,
)
from pytest_coderobust.reporting.json.pieces import iterate_json
from pytest_coderobust.reporting.json.quality import encode_quality
from pytest_coderobust.results.conclusion import SuiteReport
from pytest_coderobust.results.result import DecidedRun, GateOutcome

SCHEMA = 1
"""Raised when a key changes its meaning or goes; new keys do not raise it."""


def render(reports: Sequence[SuiteReport]) -> Iterator[str]:
    """Makes the document's text of the reports of a session, piece by piece."""
    document = make_document([report.result for report in reports], delay_items)
    yield from iterate_json(document)
    yield "\n"


def make_document(
    results: Sequence[DecidedRun], items: EncodeItems = encode_items
) -> dict[str, object]:
    """Makes one suite's object; of several or none {"schema": ..., "suites": [object, ...]}."""
    suites = [encode_suite(result, items) for result in results]
    if len(suites) == 1:
        return suites[0]
    return {"schema": SCHEMA, "suites": suites}


def dumps(document: Mapping[str, object]) -> str:
    """Writes the document as pure ASCII; NaN and infinity are refused.

    Lone surrogates and control characters survive as JSON escapes.
    """
    return json.dumps(document, ensure_ascii=True, allow_nan=False, indent=1) + "\n"


def encode_suite(result: DecidedRun, items: EncodeItems = encode_items) -> dict[str, object]:
    run, summary = result.run, result.summary
    found: dict[str, object] = {
        "schema": SCHEMA,
        "suite": run.suite,
        "model": run.model.name,
        "complete": not summary.incomplete,
        "metrics": {found.name: encode_metrics(found, run.ks) for found in summary.conditions},
        "gates": [encode_gate(outcome) for outcome in result.gates],
        "items": items(run.observations),
        "totals": encode_totals(summary),
        "noise_floor": encode_floor(summary.floor) if summary.floor else None,
        "comparison": encode_comparison(summary.comparison) if summary.comparison else None,
        "incomplete": summary.incomplete,
        "notes": list(run.notes),
        "fingerprint": run.model.digest,
        "facts": dict(run.model.facts),
        "sampling": {
            "n": run.sampling.n,
            "temperature": run.sampling.temperature,
            "top_p": run.sampling.top_p,
            "max_new_tokens": run.sampling.max_new_tokens,
            "stop": list(run.sampling.stop),
            "seed": run.sampling.seed,
        },
        "ks": list(run.ks),
        "solved_at": run.solved_at,
        "tier": run.tier,
    }
    if run.model.served_tier:
        found["identity"] = {"tier": run.model.served_tier, "weak": run.model.weak}
    if run.bill:
        found["usage"] = encode_bill(run.bill)
    if run.refusals:
        found["refusals"] = [
            {"reason": each.told, "completions": each.rows} for each in run.refusals
        ]
    if run.course:
        found["early"] = asdict(run.course)
    if summary.quality is not None:
        found["quality"] = encode_quality(summary.quality)
    if run.api_changes:
        found["adoption"] = encode_adoption(run.api_changes, summary)
    if summary.edits is not None and summary.base is not None:
        base = {each.name: encode_metrics(each, run.ks) for each in summary.base.conditions}
        found["base"] = {"metrics": base, "items": items(run.base)}
        found["edit"] = encode_edits(summary.edits)
    return found


def encode_totals(summary: Summary) -> dict[str, object]:
    """Encodes the numbers of planned items, and the items left out."""
    thoughts = summary.thought_tokens
    return {
        "tasks": summary.tasks,
        "items": summary.items,
        "observed": summary.observed,
        "completions": summary.completions,
        "truncated": summary.truncated,
        "unfinished": summary.unfinished,
        **({"thought_tokens": thoughts} if thoughts else {}),
        "skipped": [{"reason": reason, "items": items} for reason, items in summary.skipped],
        "unusable": [{"task": task, "reason": reason} for task, reason in summary.unusable],
        "unchecked": list(summary.unchecked),
        "in_process": list(summary.in_process),
        **count_refused(summary.refused),
    }


def encode_metrics(condition: ConditionSummary, ks: Sequence[int]) -> dict[str, object]:
    """Encodes one condition: rates first, then the counts they are made from."""
    rates: dict[str, object] = {}
    intervals: dict[str, object] = {}
    for k in ks:
        for name, value in name_rates(condition, condition.scores[k], smallest=k == min(ks)):
            if isinstance(value, Estimate):
                intervals[name] = [value.low, value.high]
                value = value.value
            rates[name] = value
    counts = {
        "n": condition.tasks,
        "variants": condition.variants,
        "items": condition.items,
        "solved": condition.solved,
        "unsolved": condition.unsolved,
        "robust": condition.robust,
        "broken": condition.broken,
        "skipped": condition.skipped,
        "completions": condition.completions,
        "truncated": condition.truncated,
        "unfinished": condition.unfinished,
        **count_refused(condition.refused),
    }
    return {
        **rates,
        **counts,
        "kind": condition.kind,
        "members": list(condition.members),
        "intervals": intervals,
    }


def name_rates(
    condition: ConditionSummary, scores: Scores, *, smallest: bool
) -> Iterator[tuple[str, Estimate | float | None]]:
    """Names the rates as gates do; "@k" may only be left out for the smallest k."""
    k = scores.k
    at = "" if smallest else f"@{k}"
    yield f"pass@{k}", scores.pass_at_k
    if condition.kind == "clean":
        return
    yield f"rd{at}", scores.rd
    yield f"clean_pass@{k}", scores.clean
    yield f"robust_pass@{k}", scores.robust_pass
    yield f"robust_drop{at}", scores.robust_drop
    yield f"robust_relative{at}", scores.robust_relative


def encode_gate(outcome: GateOutcome) -> dict[str, object]:
    return {
        "gate": outcome.gate.text,
        "outcome": outcome.outcome,
        "value": outcome.value,
        "threshold": outcome.gate.threshold,
        "reason": outcome.reason,
        "inconclusive": outcome.gate.inconclusive,
        "confidence": outcome.gate.confidence,
        "interval": [outcome.interval.low, outcome.interval.high] if outcome.interval else None,
    }


def encode_bill(bill: Bill) -> dict[str, object]:
    """Encodes what was asked of a served model, in all sessions of the run."""
    watching = bill.watching
    return {
        **asdict(bill.usage),
        "wall": bill.wall,
        "cost": bill.cost,
        "cost_at_most": bill.most_cost,
        "sessions": bill.sessions,
        "watching": {
            "requests": watching.requests,
            "retries": watching.retries,
            "input": watching.input,
            "output": watching.output,
        },
    }


def encode_floor(floor: NoiseFloor) -> dict[str, object]:
    return {
        "value": floor.value,
        "source": floor.source,
        "k": floor.k,
        "tasks": floor.tasks,
        "batches": {str(size): value for size, value in floor.batches},
        "seeds": {str(seed): value for seed, value in floor.seeds},
    }
