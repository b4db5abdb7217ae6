"""The history of a suite: its runs one after the other, each compared with the one before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pytest_coderobust.metrics.baseline import Baseline, describe_measurement, name_changed_parts
from pytest_coderobust.metrics.comparison import RunComparison
from pytest_coderobust.metrics.condition import ConditionSummary
from pytest_coderobust.records import ModelIdentity, SuiteRun
from pytest_coderobust.results.against import compare_reports
from pytest_coderobust.results.conclusion import Stored, SuiteReport
from pytest_coderobust.results.standing import Standing, find_standing, find_widest


@dataclass(frozen=True, slots=True)
class Release:
    """One run of a suite in its history.

    Attributes:
        label: the name that was given to its ledger; "" for none.
        run: the digest of the run, as `coderobust report --list` shows its beginning.
        edited: the editors, where the model was edited.
        conditions: by name, those of the run's summary.
        incomplete: why the run is partial; "" for a whole one.
        differs: what it measured otherwise than the latest release; "" where the two compare.
        change: against the last whole release before it that measured the same; None without one.
    """

    label: str
    run: str
    model: ModelIdentity
    edited: tuple[str, ...]
    conditions: Mapping[str, ConditionSummary]
    standing: Standing
    incomplete: str
    differs: str
    change: RunComparison | None

    @property
    def clean(self) -> ConditionSummary:
        return next(each for each in self.conditions.values() if each.kind == "clean")

    @property
    def widest(self) -> ConditionSummary | None:
        """The condition that pools every perturbation; None where the plan has none."""
        return find_widest(self.conditions.values())


@dataclass(frozen=True, slots=True)
class SuiteHistory:
    """The history of one suite.

    Attributes:
        k: the smallest k of the latest release; a release without it has no such rates.
        conditions: names of all perturbed conditions, the latest release's first, in plan order.
        margin: the loss of pass@k that still counts as not worse.
    """

    suite: str
    k: int
    margin: float
    releases: tuple[Release, ...]
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelledRun:
    """A stored run with the label of its ledger."""

    label: str
    stored: Stored


def trace_histories(runs: Iterable[LabelledRun], margin: float) -> tuple[SuiteHistory, ...]:
    """Traces the history of every suite among the runs, in the order given.

    A run that is in several ledgers counts once, where it is first.

    Raises:
        LedgerError: a run cannot be read.
    """
    suites: dict[str, dict[str, LabelledRun]] = {}
    for each in runs:
        suites.setdefault(each.stored.suite, {}).setdefault(each.stored.digest, each)
    return tuple(trace_history(list(own.values()), margin) for own in suites.values())


def trace_history(runs: list[LabelledRun], margin: float) -> SuiteHistory:
    """Traces the history of one suite's runs, at least one."""
    latest = runs[-1].stored.read_run()
    releases: list[Release] = []
    whole: list[SuiteReport] = []  # those that a later one may be compared with
    for each in runs:
        report = each.stored.report()
        change = compare_with_last(report, whole, margin)
        releases.append(make_release(each, report, latest, change))
        if not report.summary.incomplete:
            # One of each way of measuring is enough, and holds no more than one's observations.
            whole = [old for old in whole if describe_changes(old.run, report.run)] + [report]
    names = dict.fromkeys(
        name
        for release in reversed(releases)
        for name, found in release.conditions.items()
        if found.members
    )
    return SuiteHistory(latest.suite, min(latest.ks), margin, tuple(releases), tuple(names))


def make_release(
    given: LabelledRun, report: SuiteReport, latest: SuiteRun, change: RunComparison | None
) -> Release:
    """Makes a release of a report."""
    run = report.run
    return Release(
        label=given.label,
        run=given.stored.digest,
        model=run.model,
        edited=run.editing.editors if run.editing else (),
        conditions={found.name: found for found in pick_different(report)},
        standing=find_standing(report.result),
        incomplete=report.summary.incomplete,
        differs=describe_changes(run, latest),
        change=change,
    )


def pick_different(report: SuiteReport) -> list[ConditionSummary]:
    """Picks the conditions, none of which pools the same variants as an earlier one."""
    rows: dict[tuple[str, ...], ConditionSummary] = {}
    for condition in report.summary.conditions:
        rows.setdefault(condition.members, condition)
    return list(rows.values())


def compare_with_last(
    report: SuiteReport, earlier: list[SuiteReport], margin: float
) -> RunComparison | None:
    """Compares a report with the last earlier one that measured the same; None without one."""
    for old in earlier:  # one of each way of measuring
        if not describe_changes(old.run, report.run):
            return compare_reports(report, old, margin)[0]
    return None


def describe_changes(run: SuiteRun, latest: SuiteRun) -> str:
    """Describes what a run measured otherwise than the latest one; "" where nothing differs."""
    measured = describe_measurement(run)
    return name_changed_parts(
        Baseline(run.suite, run.model.name, run.model.digest, measured, {}), latest
    )
