"""A session's conclusion about one suite: stored in the ledger, read back as a report.

Every output is a function of a conclusion, so that `coderobust report` can write tomorrow what
the session could have written. The decisions are kept as they were made: they set an exit status.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_coderobust.errors import LedgerError
from pytest_coderobust.gates import GateOutcome
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.metrics.clean_pairs import CleanPairs, pair_conditions
from pytest_coderobust.metrics.comparison import RunComparison
from pytest_coderobust.metrics.eligible import EligibleCounts
from pytest_coderobust.metrics.noise_floor import NoiseFloor
from pytest_coderobust.metrics.quality_numbers import QualitySummary
from pytest_coderobust.metrics.seed_scores import SeedScore, score_seeds
from pytest_coderobust.metrics.summary import Summary, summarise
from pytest_coderobust.records import Observation, SuiteRun
from pytest_coderobust.records.codec import LATER, decode, encode
from pytest_coderobust.results.evidence import Archive
from pytest_coderobust.results.plan_order import order_by_plan
from pytest_coderobust.results.result import DecidedRun


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a run: its suite file, its options, its environment.

    Attributes:
        reference: the session's name of the suite: the text before "::" in a test id.
        arguments: the options that change a model's answers, as words of a command.
        environment: the names and versions of Python, the platform and the packages, in order.
        limit: the tasks that a suite without a file was cut to; None for all.
    """

    reference: str = ""
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    limit: int | None = field(default=None, metadata=LATER)


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """One suite's numbers and decisions, with the evidence behind them."""

    result: DecidedRun
    origin: Origin
    archive: Archive

    @property
    def run(self) -> SuiteRun:
        return self.result.run

    @property
    def summary(self) -> Summary:
        return self.result.summary

    @property
    def gates(self) -> tuple[GateOutcome, ...]:
        return self.result.gates

    def pair_clean(self) -> tuple[CleanPairs, ...]:
        """Pairs every perturbed condition with the clean prompts of its tasks."""
        return pair_conditions(self.run, self.summary.conditions)

    def score_seeds(self) -> tuple[SeedScore, ...]:
        """Scores every seed of every perturbation by itself."""
        return score_seeds(self.run)


@dataclass(frozen=True, slots=True)
class Stored:
    """A conclusion in a ledger, whose observations are not yet read."""

    ledger: Ledger
    digest: str
    body: Mapping[str, Any]

    @property
    def suite(self) -> str:
        return str(self.body["run"]["suite"])

    @property
    def model(self) -> str:
        return str(self.body["run"]["model"]["name"])

    @property
    def whole(self) -> bool:
        """Whether every planned item was measured, and none ended in error."""
        return self.body["seen"] is None and not self.body["run"]["incomplete"]

    @property
    def is_shard(self) -> bool:
        """Whether it is about a part that other machines' parts will join.

        Raises:
            LedgerError: the conclusion cannot be read.
        """
        try:
            return bool(self.body["run"].get("shard"))
        except (AttributeError, KeyError, TypeError) as error:
            raise describe_damage(self.ledger, self.digest, error) from None

    def read_decisions(self) -> tuple[tuple[GateOutcome, ...], Origin]:
        """Reads the gates as they were decided, and the origin.

        Raises:
            LedgerError: the conclusion cannot be read.
        """
        try:
            gates = decode(tuple[GateOutcome, ...], self.body["gates"])
            return gates, decode(Origin, self.body["origin"])
        except (LookupError, ValueError, TypeError) as error:
            raise describe_damage(self.ledger, self.digest, error) from None

    def read_observations(self) -> tuple[Observation, ...]:
        """Reads the observations of its run, those of other sessions too.

        Raises:
            LedgerError: one cannot be read.
        """
        try:
            return self.ledger.observations(self.digest)
        except (LookupError, ValueError, TypeError) as error:
            raise describe_damage(self.ledger, self.digest, error) from None

    def read_run(self, observed: Iterable[Observation] | None = None) -> SuiteRun:
        """Reads the run with its observations; no number is computed.

        Args:
            observed: as `read_observations` reads them, where that was done before.

        Raises:
            LedgerError: the conclusion cannot be read.
        """
        try:
            return _read_run(self.body, self._observed() if observed is None else observed)
        except (LookupError, ValueError, TypeError) as error:
            raise describe_damage(self.ledger, self.digest, error) from None

    @property
    def eligible(self) -> EligibleCounts | None:
        """The counts of eligible tasks, where any were made."""
        stored = self.body.get("eligible")
        return decode(EligibleCounts, stored) if stored else None

    def report(self) -> SuiteReport:
        """Makes the report; its numbers are computed from the observations.

        Raises:
            LedgerError: the conclusion cannot be read.
        """
        try:
            run = _read_run(self.body, self._observed())
            gates, origin = self.read_decisions()
            stored = self.body.get("comparison")
            comparison = decode(RunComparison, stored) if stored else None
            stored = self.body.get("floor")
            floor = decode(NoiseFloor, stored) if stored else None
            stored = self.body.get("quality")
            quality = decode(QualitySummary, stored) if stored else None
            eligible = self.eligible
        except (LookupError, ValueError, TypeError) as error:
            raise describe_damage(self.ledger, self.digest, error) from None
        archive = Archive(self.ledger, self.digest)
        summary = replace(
            summarise(run), comparison=comparison, floor=floor, quality=quality, eligible=eligible
        )
        return SuiteReport(DecidedRun(run, summary, gates), origin, archive)

    def _observed(self) -> Iterator[Observation]:
        return self.ledger.squares.read(self.digest)


def describe_damage(ledger: Ledger, digest: str, error: Exception) -> LedgerError:
    """Makes the error of a conclusion that another version wrote, or that was damaged."""
    return LedgerError(
        f"{ledger.path}: the conclusion about run {digest[:12]} cannot be read "
        f"({type(error).__name__}: {error}); run the suite again with this version"
    )


def conclude(ledger: Ledger, digest: str, result: DecidedRun, origin: Origin) -> SuiteReport:
    """Stores a conclusion, and makes a report of it.

    Args:
        digest: the key of the observations in the ledger; "" where nothing was measured.
    """
    if digest:
        ledger.conclude(digest, dump_conclusion(result, origin))
    return SuiteReport(result, origin, Archive(ledger, digest))


def read_conclusions(ledger: Ledger) -> list[Stored]:
    """Reads the conclusions of a ledger, the oldest first.

    Sessions with equal plan, model and judge share one conclusion: the last that measured
    everything, or the last of all where none did. Running one item again hides no whole run.

    Raises:
        LedgerError: a conclusion cannot be read.
    """
    latest = dict[str, Stored]()
    for digest, body in ledger.conclusions():
        try:
            found = Stored(ledger, digest, json.loads(body))
            identity = json.dumps([digest, found.suite, found.body["run"]["cells"]])
        except (LookupError, ValueError, TypeError) as error:
            raise describe_damage(ledger, digest, error) from None
        if found.whole or identity not in latest or not latest[identity].whole:
            latest.pop(identity, None)
            latest[identity] = found
    return list(latest.values())


def dump_conclusion(result: DecidedRun, origin: Origin) -> str:
    """Writes the conclusion as JSON; the observations stay in their own table."""
    run, summary = result.run, result.summary
    tasks = {task: place for place, task in enumerate(run.tasks)}
    cells = {cell: place for place, cell in enumerate(run.cells)}
    seen = [[tasks[o.task_id], cells[o.cell]] for o in run.observations]
    whole = len(seen) == len(tasks) * len(cells)
    encoded = encode(replace(run, observations=()))
    if run.bill is None and not run.waves:
        del encoded["bill"], encoded["waves"]  # of served models alone: others keep their bytes
    body = {
        "run": encoded,
        "seen": None if whole else seen,
        "gates": encode(result.gates),
        "origin": encode(origin),
        "comparison": encode(summary.comparison),
        "floor": encode(summary.floor),
    }
    if run.shard:
        body["machine"] = platform.node()  # for the merge alone, which names parts that differ
    if summary.quality is not None:
        body["quality"] = encode(summary.quality)
    if summary.eligible is not None:
        body["eligible"] = encode(summary.eligible)
    return json.dumps(body)


def _find_square(run: SuiteRun, task: int, cell: int) -> int:
    """Finds the place of a square in plan order.

    Raises:
        ValueError: the run has no such square.
    """
    if not (0 <= task < len(run.tasks) and 0 <= cell < len(run.cells)):
        raise ValueError(f"there is no square of task {task} and cell {cell}")
    return cell * len(run.tasks) + task


def _read_run(body: Mapping[str, Any], stored: Iterable[Observation]) -> SuiteRun:
    """Reads the run with its observations, in plan order."""
    run = decode(SuiteRun, body["run"])
    placed = order_by_plan(stored, run.tasks, run.cells)
    seen = body["seen"]
    if seen is not None:
        placed = [placed[_find_square(run, task, cell)] for task, cell in seen]
    return replace(run, observations=tuple(filter(None, placed)))
