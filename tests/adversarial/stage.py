"""A closed stage for hostile programs: run as `python stage.py RUNNER IDENTITY`.

It moves into namespaces of its own (mounts, processes, network, IPC), a throw-away tmpfs and
memory limits, sets up canaries in the place of real targets, lets every attack run under one
runner, and prints which of them had an effect. Whoever runs it, nothing outside is in reach:
that is what makes it safe to show, with the runner "naive", that the attacks work.

RUNNER: "naive" (an interpreter runs program and tests; exit status 0 is a pass) or "sandbox".
IDENTITY: "root", "user" (an ordinary one) or "docker" (root as Docker leaves it: no new
namespaces, no mounts, few capabilities).
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from attacks import ATTACKS, BOAST, SECRET, TESTS, Attack

from pytest_coderobust import records
from pytest_coderobust.records import Limits
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.cage import namespaces, seccomp
from pytest_coderobust.sandbox.cage.kernel import PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, call, prctl
from pytest_coderobust.sandbox.check import Check

ROOT = "/tmp/stage"
USER = 4242
SECONDS = 1.5  # a naive run that takes longer hangs
PATIENCE = 15.0  # a sandboxed one
LIMITS = Limits(cpu_seconds=0.4, wall_seconds=0.8, memory_mb=512)
NO_STAGE = 77
MEMORY = 6 << 30  # of addresses
DOCKER_CAPABILITIES = 0xA80425FB
DOCKER_REFUSES = ("unshare", "setns", "mount", "umount2", "pivot_root", "open_tree", "fsopen")


def enter(keep: str) -> None:
    """Moves into the stage; the interpreter stays visible even in a private home folder."""
    flags = namespaces.PRIVATE_SPACES
    try:
        call("unshare", flags)
    except PermissionError:
        user, group = os.getuid(), os.getgid()
        call("unshare", flags | namespaces.NEW_USER)
        namespaces.map_only(user, group)
    child = os.fork()
    if child:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    prctl(namespaces.PR_SET_PDEATHSIG, signal.SIGKILL)
    namespaces.mount("none", "/", "", namespaces.MS_REC | namespaces.MS_PRIVATE)
    namespaces.mount("proc", "/proc", "proc", 0)
    namespaces.mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=64m,mode=1777")
    open_home(keep)
    hide_tmp()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=False, capture_output=True)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_NPROC, (1500, 1500))


def hide_tmp() -> None:
    """Lays a throw-away /tmp over the real one; what Python needs from below it stays in sight."""
    needed = {Path(name).resolve() for name in (*sys.path, sys.prefix, __file__) if name}
    folders = {path if path.is_dir() else path.parent for path in needed if path.exists()}
    kept = [
        (folder, os.open(folder, os.O_PATH | os.O_DIRECTORY))
        for folder in sorted(folders)
        if folder.is_relative_to("/tmp") and not any(p in folders for p in folder.parents)
    ]
    namespaces.mount("tmpfs", "/tmp", "tmpfs", 0, "size=1g,mode=1777")
    for folder, descriptor in kept:
        folder.mkdir(parents=True)
        source = f"/proc/self/fd/{descriptor}"
        namespaces.mount(source, str(folder), "", namespaces.MS_BIND | namespaces.MS_REC)
        os.close(descriptor)


def open_home(keep: str) -> None:
    """Shows a tree below a private home folder to everybody, on this stage only."""
    home = "/" + Path(keep).parts[1]
    if os.getuid() != 0 or Path(home).stat().st_mode & 0o005 == 0o005:
        return
    namespaces.mount(keep, "/mnt", "", namespaces.MS_BIND | namespaces.MS_REC)
    namespaces.mount("tmpfs", home, "tmpfs", 0, "mode=755")
    Path(keep).mkdir(parents=True)
    namespaces.mount("/mnt", keep, "", namespaces.MS_BIND | namespaces.MS_REC)


def become(identity: str) -> None:
    """Takes the identity under which the runner starts."""
    if identity == "user" and os.getuid() == 0:
        os.setgroups([])
        os.setresgid(USER, USER, USER)
        os.setresuid(USER, USER, USER)
        prctl(PR_SET_DUMPABLE, 1)  # as if this user had started it
    if identity == "docker":
        low, high = DOCKER_CAPABILITIES, 0
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        call("capset", header, (ctypes.c_uint32 * 6)(low, low, low, high, high, high))
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        refused = seccomp.refuse_all(DOCKER_REFUSES)
        lines = [(seccomp.LOAD, 0, 0, seccomp.NR), *refused, seccomp.PASS]
        seccomp.Filter(lines).install()


class Scenery:
    """The canaries: files, a process, listeners; and whether anything happened to them."""

    def __init__(self) -> None:
        self.heard = 0
        self.process = self._start_process()
        self._listeners = [self._listen(kind) for kind in ("tcp", "udp", "unix", "abstract")]
        self.port = self._port
        self.lay()

    def lay(self) -> None:
        """Puts the files back as they were."""
        root = Path(ROOT)
        root.mkdir(exist_ok=True)
        root.chmod(0o777)
        for path in root.iterdir():
            subprocess.run(["rm", "-rf", str(path)], check=True)
        for name in ("delete.txt", "text.txt", "secret.txt"):
            path = root / name
            path.write_text(SECRET)
            path.chmod(0o666)
        (root / f"{SECRET}.txt").touch()
        if self.process.poll() is not None or self._state() in "tT":
            self.process.kill()
            self.process.wait()
            self.process = self._start_process()

    def look(self) -> Any:
        """Everything an attack could have changed."""
        root = Path(ROOT)
        files = sorted(
            (path.name, path.lstat().st_mode, path.lstat().st_size, path.lstat().st_mtime_ns)
            for path in (root.iterdir() if root.exists() else ())
        )
        process = self.process.poll() is None and (self._state() not in "tT", self._standing())
        shared = Path("/proc/sysvipc/shm").read_text().count("\n")
        return [files, process, self.heard, shared]

    def _start_process(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sleep", "1000"])

    def _state(self) -> str:
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0]

    def _standing(self) -> Any:
        limits = resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)
        return limits, os.getpriority(os.PRIO_PROCESS, self.process.pid)

    def _listen(self, kind: str) -> socket.socket:
        if kind in ("tcp", "udp"):
            sock = socket.socket(
                socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM
            )
            sock.bind(("127.0.0.1", 0 if kind == "tcp" else self._port))
            self._port = sock.getsockname()[1]
        else:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.bind(f"{ROOT}.sock" if kind == "unix" else "\0coderobust-canary")
            if kind == "unix":
                Path(f"{ROOT}.sock").chmod(0o777)
        if kind != "udp":
            sock.listen()
        threading.Thread(target=self._hear, args=(sock, kind), daemon=True).start()
        return sock

    def _hear(self, sock: socket.socket, kind: str) -> None:
        while True:
            if kind == "udp":
                sock.recv(10)
            else:
                sock.accept()
            self.heard += 1


def running() -> set[int]:
    """Every process on the stage, the dead apart."""
    found = set[int]()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if " Z " not in (entry / "stat").read_text().rpartition(")")[2][:3]:
                    found.add(int(entry.name))
    return found


class Naive:
    """Program and tests in one interpreter; exit status 0 is a pass."""

    def judge(self, solution: str, tests: str) -> bool:
        program = f"{solution}\nf = solve\n{tests}\n"
        child = subprocess.Popen([sys.executable, "-s", "-S", "-c", program], stderr=2)
        try:
            return child.wait(SECONDS) == 0
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            return False

    def close(self) -> None:
        pass


class Sandboxed:
    """Our own."""

    def __init__(self) -> None:
        self._sandbox = open_sandbox(1)
        self.tier = self._sandbox.tier

    def judge(self, solution: str, tests: str) -> bool:
        source = tests.replace("f(", "solve(")
        check = Check(solution, "solve", records.Tests(source, "asserts"), LIMITS)
        return self._sandbox.submit(check).result(timeout=60).full

    def close(self) -> None:
        self._sandbox.close()


def act(attack: Attack, runner: Naive | Sandboxed, scenery: Scenery, out: Path) -> bool:
    """Runs one attack; says whether it had the effect that it is for."""
    scenery.lay()
    constants = f"ROOT, PID, PORT = {ROOT!r}, {scenery.process.pid}, {scenery.port}\n"
    before, people, started = scenery.look(), running(), time.monotonic()
    size = out.stat().st_size
    passed = runner.judge(constants + attack.solution, TESTS[attack.kind])
    took = time.monotonic() - started
    if attack.kind == "touch":
        time.sleep(0.05)
        return scenery.look() != before or bool(running() - people)
    if attack.kind == "leave":
        return runner.judge(constants + attack.then, BOAST["leave"])
    if attack.kind == "hang":
        return passed or took >= (SECONDS if isinstance(runner, Naive) else PATIENCE)
    if attack.kind == "flood":
        return out.stat().st_size - size > 1 << 20
    # Stopped by an error is not the same as having got it.
    return not passed and runner.judge(constants + attack.solution, BOAST[attack.kind])


def clear(runner: Naive | Sandboxed, people: set[int], scenery: Scenery) -> None:
    """Ends what a naive run left running, so that the next attack has room."""
    if isinstance(runner, Naive):
        for pid in running() - people - {scenery.process.pid}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


def main(kind: str, identity: str) -> None:
    """Plays every attack and prints {"tier": ..., "effects": {attack: bool}}."""
    report = os.dup(1)
    try:
        enter(sys.base_prefix)
    except OSError as error:
        print(f"the stage cannot be built here: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(NO_STAGE)
    out = Path("/tmp/out")
    sink = os.open(out, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o666)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    os.chdir("/tmp")
    become(identity)
    scenery = Scenery()
    runner: Naive | Sandboxed = Naive() if kind == "naive" else Sandboxed()
    wanted = sys.argv[3:] or [attack.name for attack in ATTACKS]
    effects: dict[str, bool] = {}
    for attack in ATTACKS:
        if attack.name in wanted:
            people = running()
            effects[attack.name] = act(attack, runner, scenery, out)
            clear(runner, people, scenery)
    honest = runner.judge("def solve(x):\n    return 1\n", "assert f(0) == 1\n")
    runner.close()
    tier = getattr(runner, "tier", "")
    result = {"tier": tier, "effects": effects, "honest": honest}
    os.write(report, json.dumps(result).encode())
    scenery.process.kill()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
