"""Runs whole programs in the cage: of Python, built by a compiler, and the compiler itself.

Each gets its standard input and output as descriptors that the trusted side made, sent behind the
request. What it prints is all it can say; frames on the channel are remarks for a human.

    {"python": source}                                          + stdin, stdout
    {"start": [argument, ...], "files": {name: text}}           + stdin, stdout, maybe the program
    {"build": [argument, ...], "files": {...}, "fetch": name}   + stdin, stdout

Files that are not text come as "blobs": {name: hexadecimal}, the folders for them as "folders".
"""

from __future__ import annotations

import _socket
import atexit
import os
import signal
import sys
from _sitebuiltins import Quitter
from types import ModuleType
from typing import Any

from pytest_coderobust.sandbox.cage.frames import CHUNK, describe, send

DESCRIPTORS = 3
NOT_STARTED = 126
"""Exit status of a program that could not be started at all."""
SAID = 4000


def run_program(fd: int, request: Any, cap: int, builtins: dict[str, Any] | None) -> None:
    """Runs what a request asks for, on the descriptors behind it.

    Args:
        builtins: what a Python program gets in place of the usual ones.
    """
    stdin, stdout, *program = receive_descriptors(fd)
    for name, text in request.get("files", {}).items():
        with open(name, "w", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
            file.write(text)
    for name in request.get("folders", ()):
        os.mkdir(name)  # noqa: PTH102
    for name, text in request.get("blobs", {}).items():
        with open(name, "wb") as file:  # noqa: PTH123
            file.write(bytes.fromhex(text))
    if "build" in request:
        build(fd, request["build"], request["fetch"], stdout, cap)
        return
    os.dup2(stdin, 0)
    os.dup2(stdout, 1)
    os.close(stdin)
    os.close(stdout)
    if "python" in request:
        run_python(fd, request["python"], cap, builtins)
    else:
        start(program[0] if program else request["start"][0], request["start"])


def receive_descriptors(fd: int) -> list[int]:
    """Receives the descriptors that were passed behind a request."""
    channel = _socket.socket(fileno=os.dup(fd))
    data, passed, _, _ = channel.recvmsg(1, _socket.CMSG_SPACE(4 * DESCRIPTORS))
    os.close(channel.detach())
    if not data or not passed:
        raise EOFError
    raw = passed[0][2]
    return [int.from_bytes(raw[at : at + 4], sys.byteorder) for at in range(0, len(raw), 4)]


def run_python(fd: int, source: str, cap: int, builtins: dict[str, Any] | None) -> None:
    """Runs a source as a program: `__main__`, its own standard streams, its threads."""
    try:
        code = compile(source, "<solution>", "exec", dont_inherit=True)
    except BaseException as error:  # noqa: BLE001  whatever a hostile source makes the parser raise
        send(fd, {"stage": "syntax", **describe(error)}, cap)
        return
    send(fd, {"stage": "ready"}, cap)
    module = ModuleType("__main__")
    # Those of API changes are a mapping of their own, which counts what is looked for in vain.
    given = dict(vars(sys.modules["builtins"])) if builtins is None else builtins
    for name in ("exit", "quit"):  # programs rely on what `site` would have brought
        given.setdefault(name, Quitter(name, "Ctrl-D"))
    module.__dict__["__builtins__"] = given
    sys.modules["__main__"] = module
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.argv = ["solution"]
    try:
        exec(code, module.__dict__)  # noqa: S102  this process exists to run it
        finish()
    except SystemExit:
        finish()
    except BaseException as error:  # noqa: BLE001
        try:
            finish()
        finally:
            send(fd, {"raised": describe(error)}, cap)


def finish() -> None:
    """Does what an interpreter does at its end: waits for threads, runs exit functions, flushes."""
    if "threading" in sys.modules:
        sys.modules["threading"]._shutdown()  # noqa: SLF001
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
    sys.stdout.flush()


def build(fd: int, command: list[str], fetch: str, stdout: int, cap: int) -> None:
    """Runs a compiler, then says how it ended and sends the file that it made."""
    said = os.open(".said", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    child = os.fork()
    if child == 0:
        os.dup2(said, 1)
        os.dup2(said, 2)
        start(command[0], command)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    text = os.pread(said, SAID, 0).decode("utf-8", "replace")
    send(fd, {"status": status, "said": text}, cap)
    if status:
        return
    made = os.open(fetch, os.O_RDONLY)
    while part := os.read(made, CHUNK):
        while part:
            part = part[os.write(stdout, part) :]


def start(program: str | int, arguments: list[str]) -> None:
    """Becomes another program, given by its path or as an open file."""
    here = os.getcwd()  # noqa: PTH109  pathlib stays out of the cage
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and programs inherit that
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TMPDIR": here, "HOME": here}
    try:
        os.execve(program, arguments, environment)  # noqa: S606
    except OSError:
        os._exit(NOT_STARTED)
