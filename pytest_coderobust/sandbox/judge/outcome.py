"""Outcomes of tests: guards around asserts, and the first failure in plain words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType

from pytest_coderobust.records import FailureKind
from pytest_coderobust.sandbox.cage.frames import WireError

DETAIL = 200


class CandidateError:
    """Mixed into every exception that the candidate raised, as opposed to the tests."""


class CandidateGone(BaseException):
    """The candidate is dead; not an Exception, so that tests cannot catch it by accident.

    Attributes:
        kind: why, as a verdict says it.
    """

    def __init__(self, kind: FailureKind, detail: str) -> None:
        super().__init__(detail)
        self.kind: FailureKind = kind


class CandidateExit(BaseException):
    """The candidate called sys.exit or raised another exception outside Exception."""


class UnsendableError(Exception):
    """The candidate returned more than the wire carries."""


class UnsplittableError(Exception):
    """The tests hand over something that has no meaning in another process (a lambda)."""


class UnsplittableAttributeError(UnsplittableError, AttributeError):
    """The tests read an attribute of the function, which is in another process."""


FAILURES = (Exception, CandidateGone, CandidateExit, SystemExit)
"""Exceptions that a run survives and counts; any other (Ctrl-C) is not about the candidate."""


class Outcomes:
    """The record of one run.

    Attributes:
        ran: per test, whether any execution of it came to an end, good or bad.
        failed: per test, whether any execution failed.
        swallowed: whether a failure was recorded that the source did not see.

    Args:
        caught: tests whose failure the source itself may catch.
        identities: tests that ask whether two values are the same object.
        sources: what each assert says, to name the one that failed.
        called: the last call of the candidate, with its values, in words.
        lost: the type in the last answer that did not come as what it is in its own process.
    """

    def __init__(
        self,
        total: int,
        caught: frozenset[int],
        sources: Callable[[], Sequence[str]] = tuple,
        called: Callable[[], str] = str,
        lost: Callable[[], str] = str,
        identities: Callable[[], frozenset[int]] = frozenset,
    ) -> None:
        self.sources = sources
        self.called = called
        self.lost = lost
        self.identities = identities
        self.ran = [False] * total
        self.failed = [False] * total
        self.swallowed = False
        self.failure: FailureKind = ""
        self.detail = ""
        self.guards = [TestGuard(self, index, index not in caught) for index in range(total)]

    @property
    def passed(self) -> int:
        return sum(ran and not bad for ran, bad in zip(self.ran, self.failed, strict=True))

    def note(self, error: BaseException, index: int | None = None) -> None:
        """Keeps the first failure, in words: the exception, the assert and the values."""
        if self.failure:
            return
        self.failure = classify(error)
        self.detail = describe_error(error)
        limit = self._name_limit(error, index) if self.failure == "wrong-answer" else ""
        if index is not None and index < len(sources := self.sources()):
            self.detail += f" in: assert {sources[index]}"
            if self.failure == "wrong-answer" and (called := self.called()):
                self.detail += f"; {called}"
        if limit:
            self.failure = "protocol"
            self.detail += f"; {limit}"

    def _name_limit(self, error: BaseException, index: int | None) -> str:
        """Names what a failed test asks for and the wire does not carry; "" for a wrong answer.

        An assert that is false says that the answer is wrong, unless it asks for an object itself.
        """
        if not isinstance(error, AssertionError):
            lost = self.lost()
            return f"a {lost} leaves the solution's process as plain data only" if lost else ""
        if index in self.identities():
            return "which object an answer is cannot be told outside the solution's process"
        return ""


class TestGuard:
    """Guard around one assert; may be entered again while inside (recursive helpers)."""

    __slots__ = ("index", "outcomes", "swallows")

    def __init__(self, outcomes: Outcomes, index: int, swallows: bool) -> None:
        self.outcomes = outcomes
        self.index = index
        self.swallows = swallows

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self.outcomes.ran[self.index] = True
        if error is None:
            return False
        if not isinstance(error, FAILURES):
            return False
        self.outcomes.failed[self.index] = True
        if not self.swallows:
            return False
        self.outcomes.swallowed = True
        self.outcomes.note(error, self.index)
        return True


def classify(error: BaseException) -> FailureKind:
    """Returns a failure's kind, from the exception that showed it."""
    if isinstance(error, CandidateGone):
        return error.kind
    if isinstance(error, (UnsplittableError, UnsendableError, WireError)):
        return "protocol"
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, (CandidateError, CandidateExit)):
        return "exception"
    if isinstance(error, NameError):
        return "protocol"  # the tests use a name that only the solution could define
    return "wrong-answer"


def describe_error(error: BaseException) -> str:
    """Makes one short line of an exception."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    if isinstance(error, CandidateGone):
        return text[:DETAIL]
    return (f"{name}: {text}" if text else name)[:DETAIL]
