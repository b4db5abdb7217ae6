"""The oracle checks itself: canonical solutions must pass and stubs must fail.

Both go through the extractor and the sandbox that will judge the model, so that a broken judge is
found before it says anything about one.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pytest_coderobust.config.suite import SuiteConfig
from pytest_coderobust.engine.checks import check_of
from pytest_coderobust.engine.events import Listener, SelfCheckStarted
from pytest_coderobust.engine.judging import Judge
from pytest_coderobust.errors import CodeRobustError
from pytest_coderobust.records import Task, Verdict
from pytest_coderobust.sandbox.calibration import calibrate
from pytest_coderobust.sandbox.languages.toolchain import missing_toolchain

STUB_PASSES = "a solution that does nothing passes its tests"
STUBS = {
    "cpp": "    throw 0;\n}\n",
    "java": "        throw new IllegalStateException();\n    }\n}\n",
}


class OracleError(CodeRobustError):
    """The suite cannot judge a model: its own oracle fails the self-check."""


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """What the self-check found.

    Attributes:
        unusable: why, for each task that is left out of every metric.
        unchecked: tasks without a canonical solution.
        in_process: tasks whose tests cannot be split from the solution; every completion is
            judged in its own process, and the report says so.
    """

    unusable: Mapping[str, str]
    unchecked: frozenset[str]
    in_process: frozenset[str] = frozenset()


def check_oracle(
    tasks: Mapping[str, Task], config: SuiteConfig, judge: Judge, listen: Listener
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
    tasks: Mapping[str, Task], config: SuiteConfig, judge: Judge, listen: Listener
) -> SelfCheck:
    if not tasks:
        return SelfCheck({}, frozenset())
    stubs = {name: check_of(task, stub(task), config) for name, task in tasks.items()}
    canonicals = {
        name: check_of(task, task.canonical, config)
        for name, task in tasks.items()
        if task.canonical is not None
    }
    # A canonical solution may be older than a declared API change, or written for it.
    unchanged = {
        name: replace(check, api_changes=())
        for name, check in canonicals.items()
        if check.api_changes
    }
    checks = (*stubs.values(), *canonicals.values(), *unchanged.values())
    if unknown := judge.unknown(checks):
        listen(SelfCheckStarted(len(unknown)))
    verdicts = judge.verdicts(checks)
    passing = [name for name, check in stubs.items() if verdicts[judge.key(check)].full]
    if len(passing) == len(tasks):
        raise OracleError(
            f"{config.path}: a solution that does nothing passes all {len(tasks)} tasks; "
            "the tests of this suite cannot tell right from wrong"
        )
    unusable = dict.fromkeys(passing, STUB_PASSES)
    failing = {
        name: unchanged.get(name, check)
        for name, check in canonicals.items()
        if not verdicts[judge.key(check)].full
        and not verdicts[judge.key(unchanged.get(name, check))].full
    }
    calibrated = calibrate(tuple(failing.values()), judge.in_order)
    in_process: list[str] = []
    for name, (check, verdict) in zip(failing, calibrated, strict=True):
        if check.in_process:
            in_process.append(name)
        else:
            unusable[name] = f"its canonical solution fails: {_why(verdict)}"
    inside = [replace(stubs[name], in_process=True) for name in in_process]
    for name, verdict in zip(in_process, judge.in_order(inside), strict=True):
        if verdict.full:
            unusable[name] = STUB_PASSES
    _bound(unusable, tasks, config)
    return SelfCheck(unusable, frozenset(tasks) - frozenset(canonicals), frozenset(in_process))


def stub(task: Task) -> str:
    """A completion that does nothing, in the form the prompt asks for.

    A partial prompt may end inside a block, so deeper bodies are tried too.
    """
    if task.tests.style == "stdio":
        return "pass\n"
    if task.language != "python":
        return STUBS[task.language]
    for body in (*(f"{' ' * 4 * depth}pass\n" for depth in range(1, 8)), "\tpass\n"):
        try:
            ast.parse(task.prompt + body)
        except SyntaxError:
            continue
        if f"def {task.entry_point}" in task.prompt:
            return body
    return f"def {task.entry_point}(*arguments, **options):\n    pass\n"


def _bound(unusable: Mapping[str, str], tasks: Mapping[str, Task], config: SuiteConfig) -> None:
    allowed = config.max_unusable * len(tasks)
    if len(unusable) <= allowed:
        return
    first, why = next(iter(unusable.items()))
    raise OracleError(
        f"{config.path}: {len(unusable)} of {len(tasks)} tasks are unusable, more than "
        f"max_unusable = {config.max_unusable:g} allows; the first is {first}: {why}"
    )


def _why(verdict: Verdict) -> str:
    detail = f" ({verdict.detail})" if verdict.detail else ""
    return f"{verdict.failure} at {verdict.passed} of {verdict.total} tests{detail}"
