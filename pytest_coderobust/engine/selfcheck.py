"""The oracle self-check: canonical solutions must pass and stubs must fail.

Both are judged by the extractor and the sandbox that will judge the model, so that a broken judge
is found before a model is measured with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pytest_coderobust.config.suite import SuiteConfig
from pytest_coderobust.engine.events import Listener, SelfCheckDone, SelfCheckStarted
from pytest_coderobust.engine.verdicts import VerdictStore, make_check
from pytest_coderobust.errors import CodeRobustError
from pytest_coderobust.records import Completion, Task, Verdict
from pytest_coderobust.sandbox.calibration import calibrate, calibrate_like, is_beyond
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.languages.toolchain import missing_toolchain
from pytest_coderobust.tasks.stubs import make_stub

STUB_PASSES = "a solution that does nothing passes its tests"


class OracleError(CodeRobustError):
    """The suite cannot judge a model: its own oracle fails the self-check."""


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """The outcome of the self-check.

    Attributes:
        unusable: the tasks that are left out of every metric, each with the reason.
        unchecked: the tasks without a canonical solution.
        calibrated: the tasks that must be judged in another way than others, each with the
            check of its canonical solution; completions of the task are judged like it.
    """

    unusable: Mapping[str, str]
    unchecked: frozenset[str]
    calibrated: Mapping[str, Check] = field(default_factory=dict[str, Check])

    def check(self, task: Task, completion: Completion, config: SuiteConfig) -> Check:
        """Makes the check of a completion, calibrated if its task is."""
        text = completion.text if config.extraction == "raw" else completion.answer
        check = make_check(task, text, config, whole=completion.whole)
        calibrated = self.calibrated.get(task.id)
        return check if calibrated is None else calibrate_like(check, calibrated)


def check_oracle(
    tasks: Mapping[str, Task], config: SuiteConfig, judge: VerdictStore, listen: Listener
) -> SelfCheck:
    """Judges the canonical solution and the stub of every task.

    A task whose language has no compiler here is unusable too, which stops nothing.

    Raises:
        OracleError: every stub passes, or more than `max_unusable` of the tasks are unusable.
    """
    absent = {name: why for name, t in tasks.items() if (why := missing_toolchain(t.language))}
    found = _check_oracle(
        {n: t for n, t in tasks.items() if n not in absent}, config, judge, listen
    )
    return replace(found, unusable={**found.unusable, **absent})


def _check_oracle(
    tasks: Mapping[str, Task], config: SuiteConfig, judge: VerdictStore, listen: Listener
) -> SelfCheck:
    if not tasks:
        return SelfCheck({}, frozenset())
    # Everything that may be needed is judged in one go, so that the sandbox is busy throughout.
    stubs = {name: make_check(task, make_stub(task), config) for name, task in tasks.items()}
    canonicals = {
        name: make_check(task, task.canonical, config)
        for name, task in tasks.items()
        if task.canonical is not None
    }
    # A canonical solution may be older than a declared API change, or written for it: it counts
    # as right if it passes with the changes or without them.
    unchanged = {
        name: replace(check, api_changes=())
        for name, check in canonicals.items()
        if check.api_changes
    }
    checks = (*stubs.values(), *canonicals.values(), *unchanged.values())
    if unknown := judge.unknown(checks):
        listen(SelfCheckStarted(len(unknown)))
    try:
        verdicts = judge.verdicts(checks)
    finally:
        if unknown:
            listen(SelfCheckDone())
    # A task whose tests pass a stub says nothing about a model. If all do, the tests or the judge
    # are broken, and the run stops.
    passing = [name for name, check in stubs.items() if verdicts[judge.key(check)].full]
    if len(passing) == len(tasks):
        raise OracleError(
            f"{config.path}: a solution that does nothing passes all {len(tasks)} tasks; "
            "the tests of this suite cannot tell right from wrong"
        )
    unusable = dict.fromkeys(passing, STUB_PASSES)
    starts, found = _calibrate(canonicals, unchanged, judge)
    calibrated: dict[str, Check] = {}
    for name, (check, verdict) in found.items():
        if not verdict.full:
            unusable[name] = _describe_failure(verdict)
        elif check != starts[name]:
            calibrated[name] = check
    # In its own process a solution can reach the tests, so a stub may pass there that failed
    # outside: stubs are judged again as the task's completions will be.
    inside = {name: check for name, check in calibrated.items() if check.in_process}
    again = [calibrate_like(stubs[name], check) for name, check in inside.items()]
    for name, verdict in zip(inside, judge.in_order(again), strict=True):
        if verdict.full:
            unusable[name] = STUB_PASSES
    _refuse_too_many(unusable, tasks, config)
    return SelfCheck(unusable, frozenset(tasks) - frozenset(canonicals), calibrated)


def _calibrate(
    canonicals: Mapping[str, Check], unchanged: Mapping[str, Check], judge: VerdictStore
) -> tuple[Mapping[str, Check], Mapping[str, tuple[Check, Verdict]]]:
    """Calibrates each task on the form of its canonical solution that passes, if one does.

    Where both fail as they are, either may be slow or have tests that cannot be split: both are
    tried, the one under the changes first.

    Returns:
        The check that calibration started from, and what it came to, by task.
    """
    verdicts = judge.verdicts((*canonicals.values(), *unchanged.values()))

    def passes(check: Check) -> bool:
        return verdicts[judge.key(check)].full

    older = {name for name, check in unchanged.items() if passes(check)}
    starts = {
        name: unchanged[name] if name in older and not passes(check) else check
        for name, check in canonicals.items()
    }
    found = dict(zip(starts, calibrate(tuple(starts.values()), judge.in_order), strict=True))
    again = {
        name: check
        for name, check in unchanged.items()
        if not found[name][1].full and starts[name] != check
    }
    found.update(zip(again, calibrate(tuple(again.values()), judge.in_order), strict=True))
    return {**starts, **again}, found


def _refuse_too_many(
    unusable: Mapping[str, str], tasks: Mapping[str, Task], config: SuiteConfig
) -> None:
    allowed = config.max_unusable * len(tasks)
    if len(unusable) <= allowed:
        return
    first, why = next(iter(unusable.items()))
    raise OracleError(
        f"{config.path}: {len(unusable)} of {len(tasks)} tasks are unusable, more than "
        f"max_unusable = {config.max_unusable:g} allows; the first is {first}: {why}"
    )


def _describe_failure(verdict: Verdict) -> str:
    blame = "the sandbox cannot judge it" if is_beyond(verdict) else "its canonical solution fails"
    detail = f" ({verdict.detail})" if verdict.detail else ""
    return f"{blame}: {verdict.failure} at {verdict.passed} of {verdict.total} tests{detail}"
