"""Finds the strongest isolation that works here, and proves it before anything relies on it."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Limits, Packages
from pytest_coderobust.sandbox.cage.plan import LADDER, RLIMITS, SECCOMP, CagePlan
from pytest_coderobust.sandbox.cage.wire import decode
from pytest_coderobust.sandbox.judge.conversation import LiveConversation
from pytest_coderobust.sandbox.judge.outcome import CandidateGone
from pytest_coderobust.sandbox.judge.showing import show_packages
from pytest_coderobust.sandbox.judge.zygote import (
    ENVIRONMENT,
    PACKAGE_ENVIRONMENT,
    PackageError,
    Zygote,
)
from pytest_coderobust.sandbox.packages.files import PackageFiles

# Harmless attempts at what each tier promises to refuse, and a late import that must still work.
PROBE = """
import os, socket

def attempt(action):
    try:
        action()
    except OSError:
        return "refused"
    return "done"

def fork():
    if os.fork() == 0:
        os._exit(0)

def probe():
    import xml.dom.minidom
    return {
        "fork": attempt(fork),
        "socket": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
        "read": attempt(lambda: open("/etc/passwd").close()),
        "write": attempt(lambda: os.close(os.open("/var/tmp", os.O_TMPFILE | os.O_WRONLY))),
        "signal": attempt(lambda: os.kill(os.getppid(), 0)),
        "work": attempt(lambda: open("probe", "w").close()),
        "environment": sorted(os.environ),
    }
"""
# What an interpreter needs to run a program, besides its own library.
SYSTEM = (
    "/lib", "/lib64", "/lib32", "/libx32", "/usr/lib", "/usr/lib64", "/usr/lib32",
    "/usr/local/lib", "/etc/ld.so.cache", "/usr/share/zoneinfo",
)  # fmt: skip
PROCESS_IDS = 1 << 22
"""The kernel's highest number of processes."""
FIRST_PACKAGED = 16
"""Number of the first cage with packages, above those of languages."""
PROMISES: dict[str, frozenset[str]] = {
    **dict.fromkeys(LADDER, frozenset({"fork", "socket", "read", "write", "signal"})),
    SECCOMP: frozenset({"fork", "socket", "signal"}),
    RLIMITS: frozenset(),
}
ALLOWED_ENVIRONMENT = {*ENVIRONMENT, *PACKAGE_ENVIRONMENT, "LC_CTYPE", "PWD"}


def open_zygote(
    tiers: Sequence[str],
    scratch: str,
    alive_fd: int,
    *,
    readable: Sequence[str] = (),
    number: int = 0,
    arrange: Callable[[CagePlan], CagePlan] = lambda plan: plan,
) -> tuple[Zygote, str]:
    """Starts a zygote in the first of these tiers that proves itself.

    Args:
        readable: what its candidates may read besides the interpreter's library.
        number: which of a worker's cages this is; candidates of all but the first can become
            programs of their own.
        arrange: makes the plan that a tier is set up by of the usual one.

    Raises:
        PackageError: a package does not work in the cage.
        SandboxError: no tier does; the message says why for each.
    """
    reasons: list[str] = []
    for index, tier in enumerate(tiers):
        folder = f"{scratch}/{number}-{index}"
        os.mkdir(folder)  # noqa: PTH102
        slot = os.getpid() + number * PROCESS_IDS
        plan = CagePlan(tier, find_readable_paths(readable), folder, slot, bool(number))
        try:
            zygote = Zygote(arrange(plan), alive_fd)
        except PackageError:
            raise  # of another tier's isolation it would say the same
        except SandboxError as error:
            reasons.append(str(error))
            continue
        broken = find_broken_promises(zygote, tier)
        if not broken:
            return zygote, tier
        zygote.close()
        reasons.append(f"{tier!r} does not hold what it promises: {broken}")
    raise SandboxError("no isolation that is allowed works here: " + "; ".join(reasons))


def open_packaged_zygote(
    tier: str, scratch: str, alive_fd: int, files: PackageFiles, packages: Packages, number: int
) -> Zygote:
    """Starts a zygote that shows packages and has imported them, in a tier that is known to work.

    Args:
        number: which of a worker's cages with packages this is.

    Raises:
        PackageError: a package does not work in the cage.
        SandboxError: the tier does not work with them.
    """
    names = [name for name, _ in packages.versions]
    zygote, _ = open_zygote(
        [tier],
        scratch,
        alive_fd,
        number=number + FIRST_PACKAGED,
        arrange=lambda plan: show_packages(plan._replace(commands=False), files, names),
    )
    return zygote


def find_broken_promises(zygote: Zygote, tier: str) -> str:
    """Lists what a tier should have refused and did not; "" when it holds."""
    conversation = LiveConversation(zygote, Limits())
    try:
        loaded = conversation.load(PROBE, "probe")
        if loaded.get("stage") != "ready":
            return f"the probe does not load: {loaded}"
        reply: Any = conversation.ask({"args": []})
    except CandidateGone as gone:
        return f"the probe died: {gone}"
    finally:
        conversation.close()
    if "value" not in reply:
        return f"the probe failed: {reply}"
    found = decode(reply["value"])
    broken = [name for name in sorted(PROMISES[tier]) if found[name] != "refused"]
    if found["work"] != "done":
        broken.append("no work folder")
    broken += [
        f"variable {name}" for name in found["environment"] if name not in ALLOWED_ENVIRONMENT
    ]
    return ", ".join(broken)


def find_readable_paths(more: Iterable[str] = ()) -> tuple[str, ...]:
    """Finds the standard library, compiled modules and system libraries, none below another.

    Args:
        more: other paths to show.
    """
    paths = sysconfig.get_paths()
    wanted = [Path(paths["stdlib"]), Path(paths["platstdlib"]), Path(sys.base_prefix, "lib")]
    if sys.prefix != sys.base_prefix:
        # A virtual environment's own folder holds no part of the standard library.
        wanted = [path for path in wanted if Path(sys.prefix) not in path.parents]
    wanted += [Path(path) for path in (*SYSTEM, *more)]
    return keep_outermost(path for path in wanted if path.exists() or path.is_symlink())


def keep_outermost(paths: Iterable[Path]) -> tuple[str, ...]:
    """Sorts paths and leaves out those below another one."""
    kept: list[Path] = []
    for path in sorted(set(paths)):
        if not any(outer == path or outer in path.parents for outer in kept):
            kept.append(path)
    return tuple(map(str, kept))
