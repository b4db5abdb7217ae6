"""Runs tests in the candidate's own process, for tasks whose tests cannot be split from it.

Such tests build the solution's classes, hand it functions, read fields and call methods of its
answers, or ask whether two are the same object: all that has no meaning elsewhere. The price is
that a hostile solution can send any report that this module sends, and return an object that equals
everything: the trusted side labels such verdicts.
"""

from __future__ import annotations

from types import ModuleType, TracebackType
from typing import Any

from pytest_coderobust.sandbox.cage.frames import describe, send
from pytest_coderobust.sandbox.cage.vocabulary import seed

TESTS, HELPERS = "<tests>", "<helpers>"
GUARDS = "__guards__"
Namespace = dict[str, Any]


class Reporter:
    """Sends each event when it first happens, so that results before a hang are kept."""

    def __init__(self, fd: int, cap: int) -> None:
        self._fd = fd
        self._cap = cap

    def say(self, message: dict[str, Any], error: BaseException | None = None) -> None:
        """Sends one message, with the error that it is about."""
        raised = {} if error is None else describe_raised(error)
        send(self._fd, {**message, **raised}, self._cap)


class AssertGuard:
    """Guard around one assert, like `TestGuard` on the trusted side."""

    def __init__(self, reporter: Reporter, index: int, *, swallows: bool) -> None:
        self._reporter = reporter
        self._index = index
        self._swallows = swallows
        self._ran = self._failed = False

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, (Exception, SystemExit, type(None))):
            return False
        news = not (self._ran if error is None else self._failed)
        self._ran, self._failed = True, self._failed or error is not None
        if news:
            self._reporter.say({"assert": self._index, "swallowed": self._swallows}, error)
        return error is not None and self._swallows


def run_tests(fd: int, module: ModuleType, entry_point: str, tests: Any, cap: int) -> None:
    """Runs tests against a loaded solution.

    Args:
        tests: {"source", "helpers", "style", "total", "caught"}, the source with its guards.
    """
    reporter = Reporter(fd, cap)
    caught = set(tests["caught"])
    guards = [AssertGuard(reporter, at, swallows=at not in caught) for at in range(tests["total"])]
    import random  # loaded by now: the zygote alone decides when, see its `preload`

    random.seed(0)
    seed(0)
    try:
        names: Namespace = {"__name__": "tests", GUARDS: guards}
        exec(compile(tests["helpers"], HELPERS, "exec"), names)  # noqa: S102
        own = {name: value for name, value in vars(module).items() if not name.startswith("__")}
        names.update(own)  # answers stay what they are: fields, methods and identity count here
        exec(compile(tests["source"], TESTS, "exec"), names)  # noqa: S102
        if tests["style"] == "check":
            names["check"](own[entry_point])
    except (Exception, SystemExit) as error:  # noqa: BLE001  all of it is about the solution
        reporter.say({"finished": False}, error)
    else:
        reporter.say({"finished": True})


def describe_raised(error: BaseException) -> dict[str, Any]:
    """Describes an exception, and whether the tests' own code raised it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    file = trace.tb_frame.f_code.co_filename if trace is not None else ""
    return {**describe(error), "own": file in (TESTS, HELPERS)}
