"""The whole run of a suite, put together from the conclusions of its shards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from pytest_coderobust.errors import UsageError
from pytest_coderobust.gates import decide, switch_off
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.metrics.eligible import add_counts
from pytest_coderobust.metrics.summary import summarise
from pytest_coderobust.records import Observation, SuiteRun
from pytest_coderobust.results.conclusion import Stored, SuiteReport, conclude
from pytest_coderobust.results.plan_order import order_by_plan
from pytest_coderobust.results.result import DecidedRun
from pytest_coderobust.results.suite_run import note_refused


@dataclass(frozen=True, slots=True)
class ShardPart:
    """One session's conclusion about one shard of a suite."""

    stored: Stored
    run: SuiteRun

    @property
    def index(self) -> int:
        return int(self.run.shard.partition("/")[0])

    @property
    def count(self) -> int:
        return int(self.run.shard.partition("/")[2])

    @property
    def source(self) -> str:
        """The ledger that it is in, and the machine that measured it."""
        machine = str(self.stored.body.get("machine", ""))
        path = self.stored.ledger.path
        return f"{path} ({machine})" if machine else str(path)


def read_parts(ledger: Ledger) -> dict[str, list[ShardPart]]:
    """Reads what was concluded last about each shard, by suite.

    Raises:
        LedgerError: a conclusion cannot be read.
    """
    parts: dict[str, list[ShardPart]] = {}
    observed: dict[str, tuple[Observation, ...]] = {}  # of all shards of a run, read once
    for digest, body in ledger.conclusions():
        stored = Stored(ledger, digest, json.loads(body))
        if not stored.is_shard:
            continue
        if digest not in observed:
            observed[digest] = stored.read_observations()
        run = stored.read_run(observed[digest])
        parts.setdefault(run.suite, []).append(ShardPart(stored, run))
    return {suite: keep_latest(found) for suite, found in parts.items()}


def keep_latest(parts: Sequence[ShardPart]) -> list[ShardPart]:
    """Keeps one conclusion about each shard: the latest, or that of its run which saw most.

    Args:
        parts: of one suite, the oldest first. A shard whose session was broken off, or that ran on
            another model before, has several.
    """
    kept: dict[tuple[int, int], ShardPart] = {}
    for part in parts:
        old = kept.get((part.count, part.index))
        if (
            old is None
            or old.stored.digest != part.stored.digest
            or len(part.run.observations) >= len(old.run.observations)
        ):
            kept[part.count, part.index] = part
    return list(kept.values())


def check_parts(parts: Sequence[ShardPart]) -> None:
    """Refuses shards of one suite that are not of one run.

    Raises:
        UsageError: names the two ledgers, their machines, and what differs.
    """
    first = parts[0]
    for part in parts[1:]:
        differs = next(_list_differences(first, part), "")
        if differs:
            raise UsageError(
                f"{part.source} and {first.source} are no shards of one run of "
                f"{first.run.suite}: {differs}"
            )


def _list_differences(first: ShardPart, other: ShardPart) -> Iterator[str]:
    """Sentences about what two parts do not share, the plainest first."""
    ours, theirs = first.run, other.run
    if first.count != other.count:
        yield f"they are shards {other.run.shard} and {first.run.shard}"
    if ours.model.digest != theirs.model.digest:
        yield f"the model is {_name_model(theirs)} in one and {_name_model(ours)} in the other"
    if ours.sampling != theirs.sampling:
        yield f"the sampling is {theirs.sampling} in one and {ours.sampling} in the other"
    if ours.tier != theirs.tier:
        yield f"the sandbox is {theirs.tier} in one and {ours.tier} in the other"
    for name, value in ours.basis.items():
        if theirs.basis.get(name) != value:
            yield f"the {name} differ: {theirs.basis.get(name)} in one and {value} in the other"
    if ours.cells != theirs.cells:
        yield "their conditions differ"
    if first.stored.digest != other.stored.digest:
        yield "batch sizes, toolchains or settings differ"


def _name_model(run: SuiteRun) -> str:
    return f"{run.model.name} {run.model.digest[:12]}"


def conclude_whole(ledger: Ledger, parts: Sequence[ShardPart]) -> SuiteReport:
    """Concludes about the run that shards are the parts of.

    Gates are decided again, on all that is there. Where a shard is missing, nothing is decided.

    Args:
        ledger: holds what the parts observed.
        parts: of one suite, as `check_parts` wants them.
    """
    stored = parts[0].stored
    decided, origin = stored.read_decisions()
    run = _join(ledger, parts)
    # A clean square is one shard's alone, so what is counted of tasks adds up.
    eligible = add_counts(each for part in parts if (each := part.stored.eligible) is not None)
    summary = replace(summarise(run), eligible=eligible)
    gates = decide([found.gate for found in decided], summary, run)
    if any(found.outcome == "off" for found in decided):
        gates = switch_off(gates)
    return conclude(ledger, stored.digest, DecidedRun(run, summary, gates), origin)


def _join(ledger: Ledger, parts: Sequence[ShardPart]) -> SuiteRun:
    run = parts[0].run
    observed = chain.from_iterable(part.run.observations for part in parts)
    squares = order_by_plan(observed, run.tasks, run.cells)
    observations = tuple(filter(None, squares))
    digest = parts[0].stored.digest
    refused = [(found.task_id, found.cell) for found in observations if found.refused]
    joined = replace(
        run,
        observations=observations,
        incomplete=_explain_missing(parts, len(squares), len(observations)),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.run.notes)),
        bill=ledger.bills.of_run(digest),
        refusals=ledger.refusals.count_reasons(digest, refused),
        shard="",
    )
    return note_refused(joined)


def _explain_missing(parts: Sequence[ShardPart], planned: int, measured: int) -> str:
    """The reason why the parts are not the whole, or ""."""
    if planned == measured:
        return ""
    here = {part.index for part in parts}
    count = parts[0].count
    missing = [f"{index}/{count}" for index in range(1, count + 1) if index not in here]
    # A shard that no window was dealt to is refused when it runs, and has no ledger.
    verb = "shard {} is" if len(missing) == 1 else "shards {} are"
    why = f"{verb.format(', '.join(missing))} missing" if missing else "a shard did not end"
    return f"{planned - measured} of {planned} items not measured ({why})"
