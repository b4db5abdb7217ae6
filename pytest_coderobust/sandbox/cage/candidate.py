"""Runs a solution in its own process: loads it, answers calls, sends plain data back.

It never holds a test, an expected value or a verdict. Everything it says is a claim: the trusted
side only ever compares the values it returns.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from signal import ITIMER_PROF, setitimer
from types import ModuleType
from typing import Any, NoReturn

from pytest_coderobust.sandbox.cage.changes import Changes
from pytest_coderobust.sandbox.cage.encoder import Encoder
from pytest_coderobust.sandbox.cage.frames import (
    WireError,
    describe,
    pack,
    receive,
    send,
)
from pytest_coderobust.sandbox.cage.inside import run_tests
from pytest_coderobust.sandbox.cage.isolation import Isolation
from pytest_coderobust.sandbox.cage.limits import CageLimits, Restriction
from pytest_coderobust.sandbox.cage.program import run_program
from pytest_coderobust.sandbox.cage.wire import decode

MODULE = "solution"
FILENAME = f"<{MODULE}>"


def serve(fd: int, limits: CageLimits, builtins: dict[str, Any] | None) -> None:
    """Loads one solution and answers calls: those that came with it, or one by one."""
    cap = limits.wire_bytes
    request = receive(fd, cap)
    if "program" in request:
        run_program(fd, request["program"], cap, builtins)
        return
    module = ModuleType(MODULE)
    if builtins is not None:
        module.__dict__["__builtins__"] = builtins
    sys.modules[MODULE] = module
    reply = load(module, request["source"], request["entry_point"])
    send(fd, reply, cap)
    if reply["stage"] != "ready":
        return
    if "tests" in request:
        run_tests(fd, module, request["entry_point"], request["tests"], cap)
        return
    function = module.__dict__[request["entry_point"]]
    if "calls" in request:
        answer_all(fd, function, request["calls"], limits)
        return
    while True:
        answer_all(fd, function, (receive(fd, cap),), limits)


def answer_all(fd: int, function: Any, calls: Iterable[Any], limits: CageLimits) -> None:
    """Answers calls, each in its own time: SIGPROF ends the process that takes longer."""
    for call in calls:
        setitimer(ITIMER_PROF, limits.call_seconds)
        send_answer(fd, answer(function, call, limits.wire_bytes), limits.wire_bytes)


def load(module: ModuleType, source: str, entry_point: str) -> dict[str, Any]:
    """Compiles and runs the top level; says how far that went."""
    try:
        code = compile(source, FILENAME, "exec", dont_inherit=True)
    except BaseException as error:  # noqa: BLE001  whatever a hostile source makes the parser raise
        return {"stage": "syntax", **describe(error)}
    try:
        exec(code, module.__dict__)  # noqa: S102  this process exists to run it
    except BaseException as error:  # noqa: BLE001  SystemExit included
        return {"stage": "load", **describe(error)}
    found = callable(module.__dict__.get(entry_point))
    return {"stage": "ready" if found else "missing"}


def answer(function: Any, call: Any, room: int) -> dict[str, Any]:
    """Runs one call; returns its value or its exception, and arguments that it changed.

    The reply also names the first type, if any, whose value cannot be sent as what it is.
    """
    args = [decode(arg) for arg in call["args"]]
    kwargs = decode(call["kwargs"]) if "kwargs" in call else {}
    try:
        encoder = Encoder(room)
        message: dict[str, Any] = {"value": encoder.encode(function(*args, **kwargs))}
        if lost := encoder.opaque[0] if encoder.opaque else encoder.flattened:
            message["lost"] = lost[:200]
    except WireError as error:
        message = {"unsendable": str(error)}
    except BaseException as error:  # noqa: BLE001  SystemExit included
        message = {"raised": describe(error)}
    if has_containers(call["args"]):
        try:
            after = [Encoder(room).encode(arg) for arg in args]
        except Exception:  # noqa: BLE001  an argument made unreadable is left as it was
            after = call["args"]
        if repr(after) != repr(call["args"]):  # 1, 1.0 and True are equal
            message["args"] = after
    return message


def send_answer(fd: int, message: dict[str, Any], cap: int) -> None:
    """Sends an answer, or the reason why it cannot be sent."""
    try:
        data = pack(message, cap)
    except (WireError, RecursionError, MemoryError) as error:
        data = pack({"unsendable": str(error)}, cap)
    written = os.write(fd, data)
    while written < len(data):
        written += os.write(fd, data[written:])


def has_containers(args: Any) -> bool:
    """Whether any tagged argument may be one that a call can change."""
    return any(type(arg) in (list, dict) for arg in args)


def run(
    isolation: Isolation,
    limits: CageLimits,
    restrict: Restriction,
    fd: int,
    changes: Changes | None,
    *,
    build: bool,
) -> NoReturn:
    """Isolates this process, serves the solution and ends."""
    try:
        isolation.isolate_candidate(fd, restrict, build=build)
        serve(fd, limits, changes.enforce() if changes is not None else None)
    except (EOFError, OSError, WireError):
        pass  # the other side has all it wants
    finally:
        os._exit(0)
