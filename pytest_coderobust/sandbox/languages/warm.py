"""The warm Java compiler: one virtual machine in its own cage that compiles every source.

javac takes two seconds to start and a tenth of one when warm. It runs no code of what it compiles
(annotation processors are off), keeps nothing from one source to the next, and is replaced when it
hangs, dies or says nonsense.
"""

from __future__ import annotations

import os
import select
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Limits
from pytest_coderobust.sandbox.cage.frames import CHUNK, send
from pytest_coderobust.sandbox.judge.programs import pass_on
from pytest_coderobust.sandbox.judge.zygote import Channel, Zygote
from pytest_coderobust.sandbox.languages.java import ADDRESS_MB, VM
from pytest_coderobust.sandbox.languages.toolchain import Tools

SERVER = Path(__file__).with_name("Compiler.java")
COMPILE_SECONDS = 60.0
START_SECONDS = 120.0
CLASS_BYTES = 16 << 20
FOREVER = Limits(cpu_seconds=1e6, wall_seconds=1e8, memory_mb=1024 + ADDRESS_MB)


@dataclass(frozen=True, slots=True)
class CompilerReply:
    """Classes by name, or the error in the source and the files that have some."""

    classes: Mapping[str, bytes]
    trouble: str = ""
    hung: bool = False
    faulty: frozenset[str] = frozenset()


class LostError(Exception):
    """The compiler is gone, or sends what cannot be read."""


class WarmCompiler:
    """A compiler over one zygote, which serves nothing else."""

    def __init__(self, zygote: Zygote, tools: Tools) -> None:
        self._zygote = zygote
        self._tools = tools
        self._channel: Channel | None = None
        self._ask = self._hear = -1

    def compile(self, sources: Mapping[str, str], *, several: bool = False) -> CompilerReply:
        """Compiles one program, or several in packages of their own: all of them or none.

        Raises:
            SandboxError: the compiler cannot be started.
        """
        fresh = self._channel is None
        try:
            seconds = START_SECONDS if fresh else COMPILE_SECONDS
            return self._compile(sources, seconds, several=several)
        except TimeoutError:
            self.stop()
            return CompilerReply({}, "compiling took too long", hung=True)
        except (LostError, OSError):
            self.stop()
        if fresh:
            return CompilerReply({}, "the compiler died of it")
        return self.compile(sources, several=several)  # it may have died of what came before

    def stop(self) -> None:
        """Ends the virtual machine; the next source starts a new one."""
        if self._channel is None:
            return
        for fd in (self._ask, self._hear):
            os.close(fd)
        self._zygote.finish()
        self._channel.close()
        self._channel = None

    def _start(self) -> None:
        """Starts the virtual machine. Raises SandboxError."""
        command = [self._tools.programs["java"], *VM, "-Xmx512m", "-Xss16m", "Compiler.java"]
        files = {"Compiler.java": SERVER.read_text(encoding="utf-8")}
        self._channel = self._zygote.begin(FOREVER)
        stdin, self._ask = os.pipe2(os.O_CLOEXEC)
        self._hear, stdout = os.pipe2(os.O_CLOEXEC)
        try:
            send(self._channel.fd, {"program": {"start": command, "files": files}}, CLASS_BYTES)
            pass_on(self._channel, [stdin, stdout])
        except OSError as error:
            raise SandboxError(f"the Java compiler does not start: {error}") from None
        finally:
            os.close(stdin)
            os.close(stdout)
        os.set_blocking(self._ask, False)

    def _compile(
        self, sources: Mapping[str, str], seconds: float, *, several: bool
    ) -> CompilerReply:
        if self._channel is None:
            self._start()
        deadline = time.monotonic() + seconds
        message = struct.pack(">ii", several, len(sources))
        for pair in sources.items():
            for text in pair:
                data = text.encode("utf-8", "replace")
                message += struct.pack(">i", len(data)) + data
        self._write(message, deadline)
        if self._number(deadline):
            trouble = self._text(deadline)
            faulty = [self._text(deadline) for _ in range(self._count(deadline))]
            return CompilerReply({}, trouble, faulty=frozenset(faulty))
        count = self._count(deadline)
        return CompilerReply({self._text(deadline): self._bytes(deadline) for _ in range(count)})

    def _write(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            self._wait(self._ask, select.POLLOUT, deadline)
            view = view[os.write(self._ask, view[:CHUNK]) :]

    def _number(self, deadline: float) -> int:
        return int(struct.unpack(">i", self._read(4, deadline))[0])

    def _count(self, deadline: float) -> int:
        count = self._number(deadline)
        if not 0 <= count <= 10_000:
            raise LostError
        return count

    def _text(self, deadline: float) -> str:
        return self._bytes(deadline).decode("utf-8", "replace")

    def _bytes(self, deadline: float) -> bytes:
        size = self._number(deadline)
        if not 0 <= size <= CLASS_BYTES:
            raise LostError
        return self._read(size, deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._wait(self._hear, select.POLLIN, deadline)
            part = os.read(self._hear, size - len(data))
            if not part:
                raise LostError
            data += part
        return bytes(data)

    def _wait(self, fd: int, event: int, deadline: float) -> None:
        poller = select.poll()
        poller.register(fd, event)
        left = deadline - time.monotonic()
        if left <= 0 or not poller.poll(left * 1000):
            raise TimeoutError
