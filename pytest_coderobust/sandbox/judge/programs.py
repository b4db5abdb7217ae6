"""Runs one whole program in the cage; returns its output and how it ended."""

from __future__ import annotations

import fcntl
import os
import select
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pytest_coderobust.records import ApiChange, Limits
from pytest_coderobust.sandbox.cage.frames import (
    CHUNK,
    WireError,
    receive_rest,
    send,
    unpack,
)
from pytest_coderobust.sandbox.judge.conversation import Starved, suspect_machine
from pytest_coderobust.sandbox.judge.zygote import Channel, End, Zygote

REMARK_BYTES = 1 << 20
SEALS = 0x1 | 0x2 | 0x4 | 0x8  # F_SEAL_SEAL, _SHRINK, _GROW, _WRITE
ADD_SEALS = 1033
EXECUTABLE = 0x10
"""MFD_EXEC: kernels from 6.3 on may refuse to run a file that was made without it."""


@dataclass(frozen=True, slots=True)
class ProgramRun:
    """The run of a program.

    Attributes:
        output: what it printed, no more than was allowed.
        flooded: it printed more, and was ended for it.
        remarks: objects that its side of the cage sent: untrusted, for a human.
    """

    output: bytes
    flooded: bool
    remarks: tuple[dict[str, Any], ...]
    end: End

    @property
    def starved(self) -> Starved:
        return suspect_machine(self.end, self.end.asleep)

    def remark(self, key: str) -> Any:
        """Returns the first remark of that name, or None."""
        return next((each[key] for each in self.remarks if key in each), None)


def run_program(
    zygote: Zygote,
    request: Any,
    limits: Limits,
    *,
    changes: Sequence[ApiChange] = (),
    stdin: int,
    program: int | None = None,
    output_bytes: int | None = None,
) -> ProgramRun:
    """Runs one program to its end.

    Args:
        request: as `cage.program` has it.
        changes: API changes that a Python program is put under.
        stdin: an open descriptor; it stays open here.
        program: what to run, where the request names no path.
        output_bytes: most bytes that it may print; by default the limits'.
    """
    cap = limits.output_bytes if output_bytes is None else output_bytes
    channel = zygote.begin(limits, changes, build="build" in request)
    ours, theirs = os.pipe2(os.O_CLOEXEC)
    try:
        passed = [stdin, theirs] + ([] if program is None else [program])
        with suppress(OSError):  # a candidate that is gone already
            send(channel.fd, {"program": request}, limits.wire_bytes)
            pass_on(channel, passed)
        os.close(theirs)
        theirs = -1
        output, flooded = read_to_end(ours, cap)
        end = zygote.finish() if flooded else zygote.wait()
        return ProgramRun(output, flooded, read_remarks(channel), end)
    except WireError:
        end = zygote.finish()
        raise
    finally:
        channel.close()
        os.close(ours)
        if theirs >= 0:
            os.close(theirs)


def seal(name: str, data: bytes, *, executable: bool = False) -> int:
    """Makes a file in memory that nobody can change; the caller closes its descriptor."""
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    try:
        fd = os.memfd_create(name, flags | (EXECUTABLE if executable else 0))
    except OSError:
        fd = os.memfd_create(name, flags)  # an older kernel knows no such flag
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)
    fcntl.fcntl(fd, ADD_SEALS, SEALS)
    return fd


def pass_on(channel: Channel, descriptors: list[int]) -> None:
    """Sends descriptors behind a request."""
    with socket.socket(fileno=os.dup(channel.fd)) as sock:
        socket.send_fds(sock, [b"\0"], descriptors)


def read_to_end(fd: int, cap: int) -> tuple[bytes, bool]:
    """Reads to the end; returns at most `cap` bytes, and whether there were more."""
    data = bytearray()
    while part := os.read(fd, CHUNK):
        data += part
        if len(data) > cap:
            return bytes(data[:cap]), True
    return bytes(data), False


def read_remarks(channel: Channel) -> tuple[dict[str, Any], ...]:
    """Reads what a candidate that has ended left on its channel."""
    poller = select.poll()
    poller.register(channel.fd, select.POLLIN)
    if not poller.poll(0):
        return ()
    try:
        found = unpack(receive_rest(channel.fd, REMARK_BYTES) or b"")
    except (WireError, OSError):
        return ()
    return tuple(each for each in found if type(each) is dict)
