"""Conversations with a candidate's process: questions go in, replies or its end come out."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from typing import Any, Literal, Protocol

from pytest_coderobust.records import ApiChange, FailureKind, Limits
from pytest_coderobust.sandbox.cage.frames import (
    WireError,
    receive,
    receive_rest,
    send,
    unpack,
)
from pytest_coderobust.sandbox.judge.outcome import CandidateGone
from pytest_coderobust.sandbox.judge.zygote import Channel, End, Zygote

OWN_SHARE = 0.9
PATIENCE = 0.05
"""Seconds after which a batch is read while it runs. Until then its replies wait in the socket, and
a candidate that fills the socket waits too."""
Starved = Literal["", "perhaps", "surely"]


class Conversation(Protocol):
    """Replies of `load` and `ask` are untrusted: plain JSON that only a decoder should read."""

    def load(self, source: str, entry_point: str) -> Any:
        """Loads a solution and returns how far that went. Raises CandidateGone."""
        ...

    def ask(self, call: Any) -> Any:
        """Returns the reply to one call. Raises CandidateGone, now and ever after."""
        ...

    def close(self) -> End:
        """Ends the candidate; safe to call twice."""
        ...

    @property
    def starved(self) -> Starved:
        """Whether it ran out of time for want of a processor, as far as is known."""
        ...


class LiveConversation:
    """Asks one call at a time, and waits for each answer."""

    def __init__(self, zygote: Zygote, limits: Limits, changes: Sequence[ApiChange] = ()) -> None:
        self._zygote = zygote
        self._channel = zygote.begin(limits, changes)
        self._limits = limits
        self._end: End | None = None
        self._gone: CandidateGone | None = None
        self._asked = self._waited = time.monotonic()
        self.calls: list[Any] = []

    def load(self, source: str, entry_point: str) -> Any:
        return self.exchange({"source": source, "entry_point": entry_point})

    def ask(self, call: Any) -> Any:
        self.calls.append(call)
        return self.exchange(call)

    def hear(self) -> Any:
        """Waits for the next message without asking. Raises CandidateGone."""
        return self.exchange(None)

    def exchange(self, message: Any) -> Any:
        """Sends a message, unless it is None, and returns the reply. Raises CandidateGone."""
        if self._gone is not None:
            raise self._gone
        self._asked = time.monotonic()
        try:
            if message is not None:
                send(self._channel.fd, message, self._limits.wire_bytes)
            return check_reply(receive(self._channel.fd, self._limits.wire_bytes))
        except (WireError, RecursionError) as error:
            self.close()
            self._gone = CandidateGone("protocol", str(error))
        except (EOFError, OSError, MemoryError):
            self._gone = explain_end(self.close())
        raise self._gone

    def close(self) -> End:
        if self._end is None:
            self._waited = time.monotonic() - self._asked
            self._channel.close()
            self._end = self._zygote.finish()
        return self._end

    @property
    def starved(self) -> Starved:
        # Many short waits add up to a wall limit when the checker itself gets no processor.
        end = self.close()
        idle = end.asleep and self._waited >= OWN_SHARE * self._limits.wall_seconds
        return suspect_machine(end, idle)


class DivergedError(BaseException):
    """The tests made a call that was not predicted; only a live conversation can answer it."""


class BatchConversation:
    """Sends every call that the tests are expected to make at once, and replays the answers.

    The candidate answers them alone, with nobody to wait for. A call that comes as predicted gets
    its answer. Any other call raises DivergedError: the candidate has by then done work that the
    tests did not ask for, and its state is not the one that they would have brought about.

    Args:
        calls: the calls that an earlier run of the same tests made, in order.

    Attributes:
        diverged: the tests made a call that was not predicted.
        flooded: all answers together are more than one may be, and none was read.
    """

    def __init__(self, zygote: Zygote, limits: Limits, calls: list[Any]) -> None:
        self._zygote = zygote
        self._limits = limits
        self._calls = calls
        self._asked = 0
        self._replies: list[Any] = []
        self._broken: str = ""
        self._end = End("lost")
        self.diverged = self.flooded = False

    def load(self, source: str, entry_point: str) -> Any:
        channel = self._zygote.begin(self._limits)
        request = {"source": source, "entry_point": entry_point, "calls": self._calls}
        cap = self._limits.wire_bytes
        try:
            send(channel.fd, request, cap)
        except (WireError, OSError) as error:
            channel.close()
            self._end = self._zygote.finish()
            if isinstance(error, WireError):
                self._broken = str(error)
        else:
            # Most end within PATIENCE, and then wake this process only once.
            gone = self._zygote.ends_within(PATIENCE)
            end = self._zygote.wait() if gone else None
            self._collect(channel)
            # Replies that nobody will read need not be waited for.
            early = self._broken or self.flooded
            self._end = end or (self._zygote.finish() if early else self._zygote.wait())
        if self.flooded:
            raise DivergedError
        return self._next(0)

    def _collect(self, channel: Channel) -> None:
        """Reads what the candidate left in the socket, and what it still writes."""
        try:
            data = receive_rest(channel.fd, self._limits.wire_bytes)
            self.flooded = data is None
            self._replies = unpack(data or b"")
        except (WireError, OSError) as error:
            self._broken = str(error)
        finally:
            channel.close()

    def ask(self, call: Any) -> Any:
        at, self._asked = self._asked, self._asked + 1
        # As text: 1, 1.0 and True are equal, and not the same argument.
        predicted = at < len(self._calls) and repr(self._calls[at]) == repr(call)
        if self.diverged or not predicted:
            self.diverged = True
            raise DivergedError
        return self._next(at + 1)

    def _next(self, at: int) -> Any:
        if at < len(self._replies):
            try:
                return check_reply(self._replies[at])
            except WireError as error:
                raise CandidateGone("protocol", str(error)) from None
        if self._broken:
            raise CandidateGone("protocol", self._broken)
        raise explain_end(self._end)

    def close(self) -> End:
        return self._end

    @property
    def starved(self) -> Starved:
        return suspect_machine(self._end, self._end.asleep)


def suspect_machine(end: End, idle: bool) -> Starved:
    """Says whether the machine is to blame for an end; `idle`: the candidate slept all the time."""
    if end.reason == "stalled":
        return "surely"
    return "perhaps" if end.reason == "wall" and not idle else ""


def check_reply(reply: Any) -> Any:
    """Returns a reply, which must be an object. Raises WireError."""
    if type(reply) is not dict:
        raise WireError("a reply that is not an object")
    return reply


def explain_end(end: End) -> CandidateGone:
    """Makes the exception for the test that was waiting for a candidate that ended."""
    kinds: dict[str, tuple[FailureKind, str]] = {
        "cpu": ("timeout", "used up its processor time"),
        "wall": ("timeout", "used up its time waiting"),
        "stalled": ("timeout", "got no processor for too long"),
    }
    if end.reason in kinds:
        return CandidateGone(*kinds[end.reason])
    if end.code == -signal.SIGPROF:  # its own timer
        return CandidateGone("timeout", "used up the processor time of one call")
    if end.code < 0:
        return CandidateGone("died", f"killed by signal {-end.code}")
    return CandidateGone("died", f"left with exit status {end.code}")
