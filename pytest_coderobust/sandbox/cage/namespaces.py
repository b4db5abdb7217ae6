"""Namespaces of a zygote: its own mounts, processes, network, IPC and host name.

The new root is a small tmpfs that holds read-only binds of the interpreter and the system's
libraries, a fresh /proc, four devices and a tmpfs to work in. Root needs no user namespace;
everybody else gets one that maps only themselves.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Iterable
from contextlib import suppress

from pytest_coderobust.sandbox.cage.kernel import PR_SET_PDEATHSIG, call, prctl

NEW_MOUNT, NEW_CGROUP, NEW_UTS, NEW_IPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
NEW_USER, NEW_PID, NEW_NET = 0x10000000, 0x20000000, 0x40000000
PRIVATE_SPACES = NEW_MOUNT | NEW_CGROUP | NEW_UTS | NEW_IPC | NEW_PID | NEW_NET
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_BIND, MS_PRIVATE, MS_RDONLY, MS_REMOUNT = (
    2, 4, 8, 16384, 4096, 1 << 18, 1, 32,
)  # fmt: skip
DETACH = 2
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV = 1, 2, 4
DEVICES = ("null", "zero", "full", "urandom", "random")
WORK = "/tmp"  # noqa: S108  inside the new root
WORK_OPTIONS = "size=64m,nr_inodes=4096,mode=1777"


class MountAttributes(ctypes.Structure):
    """The kernel's struct mount_attr."""

    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def enter(readable: Iterable[str], placed: Iterable[tuple[str, str]], at: str) -> None:
    """Moves this program into new namespaces; returns in a new process, pid 1 of them.

    The process that called stays behind and ends with the new one.

    Args:
        readable: existing paths that stay visible, read-only, under their own names.
        placed: others, each with the name that it gets instead.
        at: an empty folder to build the new root on.

    Raises:
        OSError: the kernel or its policy refuses.
    """
    user, group = os.getuid(), os.getgid()
    try:
        call("unshare", PRIVATE_SPACES)
    except PermissionError:
        call("unshare", PRIVATE_SPACES | NEW_USER)
        map_only(user, group)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    child = os.fork()
    if child:
        wait_for(child)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    mount("none", "/", "", MS_REC | MS_PRIVATE)
    build_root(readable, placed, at)
    enter_root(at)


def map_only(user: int, group: int) -> None:
    """Maps this user and group to themselves, and nobody else."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(text)


def wait_for(child: int) -> None:
    """Holds no descriptor but waits for the zygote, then ends."""
    os.closerange(0, 256)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError):
        os.waitpid(child, 0)
    os._exit(0)


def build_root(readable: Iterable[str], placed: Iterable[tuple[str, str]], at: str) -> None:
    """Lays out the new root on `at`."""
    mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755")
    for path in readable:
        show(path, at)
    for path, name in placed:
        bind(path, at + name, ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV)
    for device in DEVICES:
        bind(f"/dev/{device}", f"{at}/dev/{device}", ATTR_RDONLY | ATTR_NOSUID)
    os.makedirs(f"{at}/proc")  # noqa: PTH103
    with suppress(OSError):  # refused inside some containers; only schedstat is missed
        mount("proc", f"{at}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    os.makedirs(at + WORK)  # noqa: PTH103
    mount("tmpfs", at + WORK, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, WORK_OPTIONS)


def show(path: str, at: str) -> None:
    """Makes a path visible in the new root: a link as a link, the rest read-only."""
    if os.path.islink(path):  # noqa: PTH114
        os.makedirs(os.path.dirname(at + path), exist_ok=True)  # noqa: PTH103, PTH120
        os.symlink(os.readlink(path), at + path)  # noqa: PTH115, PTH211
    else:
        bind(path, at + path, ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV)


def bind(source: str, target: str, attributes: int) -> None:
    """Binds a file or a whole folder; only adds restrictions to the ones it has."""
    if os.path.isdir(source):  # noqa: PTH112
        os.makedirs(target, exist_ok=True)  # noqa: PTH103
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    mount(source, target, "", MS_BIND | MS_REC)
    change = MountAttributes(attributes, 0, 0, 0)
    size = ctypes.sizeof(change)
    path = os.fsencode(target)
    call("mount_setattr", AT_FDCWD, path, AT_RECURSIVE, ctypes.byref(change), size)


def enter_root(at: str) -> None:
    """Makes `at` the root, drops the old one, and starts in the work folder."""
    os.chdir(at)
    call("pivot_root", b".", b".")
    call("umount2", b".", DETACH)
    mount("none", "/", "", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    os.chdir(WORK)


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Runs mount. Raises OSError that names the target."""
    arguments = [os.fsencode(text) for text in (source, target, kind)]
    try:
        call("mount", *arguments, flags, os.fsencode(options))
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror} ({target})") from None
