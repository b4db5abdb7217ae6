"""Observation of one call of the original: its outcome as plain data, behind the barrier."""

from __future__ import annotations

import ast
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from pytest_coderobust.harvest.barrier import (
    Barrier,
    OutOfTimeError,
    RefusedDeedError,
    WaitingCallError,
)
from pytest_coderobust.harvest.cases import HarvestCall, HarvestCase, write_state
from pytest_coderobust.harvest.objects import HarvestOriginal
from pytest_coderobust.harvest.recorder import NotPlainError, encode_state
from pytest_coderobust.harvest.spelling import UnwritableError, write_value
from pytest_coderobust.sandbox.cage.encoder import Encoder
from pytest_coderobust.sandbox.cage.frames import WireError
from pytest_coderobust.sandbox.cage.wire import decode

ROOM = 1500
"""Characters of a result's source, at most: a person reads the tests."""
_NEVER = (MemoryError, RecursionError, StopIteration, NotImplementedError, AssertionError)
"""Exceptions that say nothing about what a function is for."""


WAITED = "it waits (for a queue, a lock, a sleep, another process)"


class UnusableCallError(Exception):
    """A call cannot be a test; the message is the reason."""


def observe(
    original: HarvestOriginal, call: HarvestCall, barrier: Barrier, home: str, *, recorded: bool
) -> HarvestCase:
    """Calls the original and describes its outcome.

    Args:
        home: the folder or file of the package: an exception counts where its code raises it.
        recorded: an exception counts too where a project's own test asked for one.

    Raises:
        UnusableCallError: the outcome is no plain data, or an accident.
    """
    args = [decode(each) for each in call.args]
    kwargs = {name: decode(value) for name, value in call.kwargs.items()}
    held = [] if call.state is None else [original.make_object(call.state)]
    encoder = Encoder(4 * ROOM)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            barrier.begin()
            try:
                value = encoder.encode(original.function(*held, *args, **kwargs))
            finally:
                barrier.end()
    except (RefusedDeedError, OutOfTimeError, WaitingCallError) as error:
        raise UnusableCallError(explain_end(error)) from None
    except WireError:
        raise UnusableCallError("its result is large, or an iterator without end") from None
    except Exception as error:  # noqa: BLE001  whatever the package raises
        return _describe_raised(error, call, home, recorded=recorded)
    if encoder.opaque:
        raise UnusableCallError(f"its result is no plain data ({encoder.opaque[0]})")
    return HarvestCase(
        call,
        value=_bound(value),
        after=_find_after(args, call),
        state_after=_find_state_after(held[0], call) if held else None,
        recorded=recorded,
    )


def repeat_call(
    original: HarvestOriginal, call: HarvestCall, barrier: Barrier, home: str
) -> Callable[[], object]:
    """Makes a call that can be measured, whatever comes of it."""

    def repeat() -> None:
        with suppress(UnusableCallError):
            observe(original, call, barrier, home, recorded=True)

    return repeat


def explain_end(error: BaseException) -> str:
    if isinstance(error, OutOfTimeError):
        return "it takes long"
    if isinstance(error, WaitingCallError):
        return WAITED
    return f"it uses files, processes, the network or the system ({error})"


def _bound(value: Any) -> Any:
    """The value, where it can be written and is short. Raises UnusableCallError."""
    try:
        text = write_value(value)
    except UnwritableError as error:
        raise UnusableCallError(f"its result is no plain data ({error})") from None
    if len(text) > ROOM:
        raise UnusableCallError("its result is large, or an iterator without end")
    return value


def _find_after(args: list[Any], call: HarvestCall) -> tuple[Any, ...] | None:
    """The arguments after the call, where it changed them. Raises UnusableCallError."""
    encoder = Encoder(4 * ROOM)
    try:
        after = [encoder.encode(each) for each in args]
    except WireError:
        raise UnusableCallError("it makes its arguments large") from None
    if encoder.opaque:
        raise UnusableCallError("it puts what is no plain data into its arguments")
    for each in after:
        _bound(each)
    # As source: sets have one order there, and none in which they are walked through.
    same = [*map(write_value, after)] == [*map(write_value, call.args)]
    return None if same else tuple(after)


def _find_state_after(held: object, call: HarvestCall) -> dict[str, Any] | None:
    """The object's state after the call, where it changed. Raises UnusableCallError."""
    try:
        state = encode_state(held, type(held).__name__)
    except NotPlainError as error:
        raise UnusableCallError(f"it leaves no plain data in its object ({error})") from None
    try:
        same = call.state is not None and write_state(state) == write_state(call.state)
    except UnwritableError as error:
        raise UnusableCallError(f"it leaves no plain data in its object ({error})") from None
    return None if same else state


def _describe_raised(
    error: Exception, call: HarvestCall, home: str, *, recorded: bool
) -> HarvestCase:
    name = type(error).__name__
    if isinstance(error, _NEVER) or not (recorded or is_deliberate(error, home)):
        raise UnusableCallError(f"it raises {name} by accident")
    return HarvestCase(call, raised=name, recorded=recorded)


def is_deliberate(error: Exception, home: str) -> bool:
    """Whether an exception comes from a `raise` of the package's own code."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    if last is None or not last.filename.startswith(home):
        return False
    return last.lineno in _find_raises(last.filename)


@cache
def _find_raises(path: str) -> frozenset[int]:
    """The lines of a file that belong to a `raise`."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    raises = (node for node in ast.walk(tree) if isinstance(node, ast.Raise))
    return frozenset(
        line for node in raises for line in range(node.lineno, (node.end_lineno or 0) + 1)
    )
