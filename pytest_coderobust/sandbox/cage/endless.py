"""Ends a loop that cannot end: it came back to the very values that it had before.

Most solutions that hang do so in a `while` that goes round for ever. Where such a loop depends on
nothing but plain values of its function's variables (`closed`), the values at the start of its
body decide all that follows; when they come back, it never ends, and there is no need to wait
until its processor time is used up. Such a loop is looked for after a twentieth of a second, and
watched for a twentieth of the time since, which costs a solution that merely is slow no more.

It runs in the candidate's process, so that what it says is a claim, as all else from there: it can
only ever cost the solution its pass.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import CodeType, FrameType
from typing import Any

from pytest_coderobust.sandbox.cage.closed import Loop, closed_loops

FIRST_LOOK = 0.05
"""Seconds of processor time before a solution is looked at; each next wait is twice as long."""
SHARE = 0.05
"""Of the time between two looks, for one: a program that is followed runs several times slower."""
VALUES = 10_000
COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
OPTIMIZED, RESUMED = 0x1, 0x20 | 0x80 | 0x200  # inspect.CO_*: generators, coroutines


class UnclearError(Exception):
    """A value whose future is not decided by what can be seen of it."""


class Look:
    """Looks at a running solution, as the handler of a signal.

    One is made in the zygote and inherited: a fork that makes one, or sets a handler, touches
    thirty pages more.
    """

    def __init__(self) -> None:
        self._filename = self._source = ""
        self._tell: Callable[[int], Any] = bool
        self._wait = FIRST_LOOK
        self._tracer: Tracer | None = None

    def begin(self, filename: str, source: str, tell: Callable[[int], Any]) -> None:
        """Looks at a solution once it has run for long.

        Args:
            filename: as its code objects name it.
            tell: is called with the line of a loop that never ends; then the process is over.
        """
        self._filename, self._source, self._tell = filename, source, tell
        signal.setitimer(signal.ITIMER_VIRTUAL, self._wait)

    def __call__(self, _: int, frame: FrameType | None) -> None:
        if self._tracer is not None:
            self._tracer.end()
            self._tracer = None
            signal.setitimer(signal.ITIMER_VIRTUAL, self._wait)
            return
        waited, self._wait = self._wait, 2 * self._wait
        signal.setitimer(signal.ITIMER_VIRTUAL, self._wait)
        with suppress(RecursionError, MemoryError):  # the solution's own, which is not to know
            self._tracer = self.follow(frame)
            if self._tracer is not None:
                signal.setitimer(signal.ITIMER_VIRTUAL, SHARE * waited)

    def follow(self, frame: FrameType | None) -> Tracer | None:
        """Watches the innermost loop that may be one without end, if there is one."""
        while frame is not None and frame.f_code.co_filename == self._filename and undisturbed():
            loops = closed_loops(self._source, frame) if is_function(frame.f_code) else []
            if loops:
                frame.f_trace = tracer = Tracer(loops, self._tell)
                sys.settrace(untraced)
                return tracer
            if frame.f_code.co_name not in COMPREHENSIONS:
                return None
            frame = frame.f_back
        return None


LOOK = Look()


def prepare() -> None:
    """Done once, in the zygote: forks inherit handlers, and no timers."""
    signal.signal(signal.SIGVTALRM, LOOK)


def untraced(*_: Any) -> None:
    """Follows no function that is called from here on."""


def undisturbed() -> bool:
    """Whether nothing but the code itself decides what happens next: no thread, alarm or trace."""
    alarmed = signal.getitimer(signal.ITIMER_REAL)[0] or signal.getsignal(signal.SIGPROF)
    traced = sys.gettrace() or sys.getprofile()
    threads = sys._current_frames()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return not alarmed and not traced and len(threads) == 1


def is_function(code: CodeType) -> bool:
    """Whether a code object is a function's own, run from its start to its end at once."""
    return code.co_flags & (OPTIMIZED | RESUMED) == OPTIMIZED and code.co_name[0] != "<"


class Tracer:
    """Follows one frame line by line until a loop repeats itself, all are left, or it is ended."""

    def __init__(self, loops: list[Loop], tell: Callable[[int], Any]) -> None:
        self._rounds = [Rounds(loop) for loop in loops]
        self._tell = tell
        self._over = False

    def end(self) -> None:
        """Follows it no more; where it is looked at again, that begins with nothing known."""
        self._over = True
        if sys.gettrace() is untraced:
            sys.settrace(None)

    def __call__(self, frame: FrameType, event: str, _: Any) -> Tracer | None:
        around = [each for each in self._rounds if each.loop.holds(frame.f_lineno)]
        # An exception leaves a closed loop, and is told at the place of the line before it.
        if event == "line" and around and not self._over:
            self._follow(frame, around)
            return self
        self.end()
        frame.f_trace = None
        return None

    def _follow(self, frame: FrameType, around: list[Rounds]) -> None:
        for rounds in list(self._rounds):
            if rounds not in around:
                rounds.leave()
            elif frame.f_lasti == rounds.loop.start:
                self._compare(frame, rounds)

    def _compare(self, frame: FrameType, rounds: Rounds) -> None:
        try:
            now = state(frame.f_locals, rounds.loop)
        except (UnclearError, RecursionError):
            self._rounds.remove(rounds)  # to find that out again would cost as much each time
            return
        if rounds.repeat(now):
            self._tell(rounds.loop.line)
            os._exit(0)


class Rounds:
    """The values that one loop had at the start of its body, as far as Brent's method keeps them.

    One state is kept and compared with those that follow; after 1, 2, 4, … rounds it is replaced.
    """

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self._kept: list[Any] | None = None
        self._since, self._until = 0, 1

    def leave(self) -> None:
        """Forgets: a loop that is left may be entered again from another place."""
        self._kept = None

    def repeat(self, now: list[Any]) -> bool:
        """Whether these are values that it had before, not having been left since."""
        if now == self._kept:
            return True
        self._since += 1
        if self._kept is None or self._since >= self._until:
            self._kept, self._since, self._until = now, 0, 2 * self._until
        return False


def state(variables: Any, loop: Loop) -> list[Any]:
    """Plain values, flat: two lists are equal when no code can tell the values apart.

    Which lists and dictionaries are one and the same object is part of it.

    Raises:
        UnclearError: NaN, a value of another type (an iterator hides where it is, a set its
            order), or too many values.
    """
    flat: list[Any] = []
    seen: dict[int, int] = {}
    containers = (list, tuple) if loop.hides else (list, tuple, dict)
    for name in loop.names:
        if name in variables:
            flat.append(name)
            _flatten(variables[name], flat, seen, containers)
    return flat


def _flatten(
    value: Any, flat: list[Any], seen: dict[int, int], containers: tuple[type, ...]
) -> None:
    kind = type(value)
    flat.append(kind)
    if len(flat) > VALUES:
        raise UnclearError
    if kind in (int, bool, str, bytes, type(None)):
        flat.append(value)
    elif kind is float and value == value:
        flat.append(repr(value))  # 0.0 is not -0.0
    elif kind in containers:
        flat += [seen.get(id(value), len(seen)), len(value)]
        if id(value) in seen:
            return
        seen[id(value)] = len(seen)
        items = [part for item in value.items() for part in item] if kind is dict else value
        for item in items:
            _flatten(item, flat, seen, containers)
    else:
        raise UnclearError
