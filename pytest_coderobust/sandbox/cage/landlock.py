"""Landlock rules: files that a candidate may read and write; processes that it may not signal.

A ruleset is built once in the zygote; each candidate's process puts it on itself. It works
where mount namespaces are not allowed, and is a second barrier where they are.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

from pytest_coderobust.sandbox.cage.kernel import Prepared, call

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
READ = EXECUTE | READ_FILE | READ_DIR
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | 1 << 14 | 1 << 15
# Everything up to MAKE_SYM; later versions of the interface add rights one by one.
RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
NETWORK_ABI, NETWORK = 4, 0b11  # bind and connect TCP
SCOPE_ABI, SCOPES = 6, 0b11  # abstract sockets and signals
VERSION_FLAG, PATH_BENEATH = 1, 1
O_PATH = os.O_PATH if hasattr(os, "O_PATH") else 0


class Attributes(ctypes.Structure):
    """The kernel's struct landlock_ruleset_attr."""

    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    )


class Beneath(ctypes.Structure):
    """The kernel's struct landlock_path_beneath_attr, which must be packed."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def read_version() -> int:
    """Reads the kernel's Landlock version, 0 where there is none."""
    try:
        return call("landlock_create_ruleset", None, 0, VERSION_FLAG)
    except OSError:
        return 0


def build_ruleset(readable: Iterable[str], writable: Iterable[str]) -> int:
    """Builds a ruleset and returns its descriptor. Raises OSError where the kernel has none."""
    abi = read_version()
    if not abi:
        raise OSError(38, "the kernel has no Landlock")
    rights = RIGHTS[max(known for known in RIGHTS if known <= abi)]
    network = NETWORK if abi >= NETWORK_ABI else 0
    scopes = SCOPES if abi >= SCOPE_ABI else 0
    size = 24 if scopes else 16 if network else 8
    attributes = Attributes(rights, network, scopes)
    fd = call("landlock_create_ruleset", ctypes.byref(attributes), size, 0)
    for path in readable:
        allow(fd, path, READ & rights)
    for path in writable:
        allow(fd, path, rights & ~EXECUTE)
    return fd


def allow(fd: int, path: str, rights: int) -> None:
    """Grants rights below a path; a path that does not exist is left out."""
    try:
        parent = os.open(path, O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):  # noqa: PTH112  pathlib stays out of the cage
            rights &= ON_FILES
        beneath = Beneath(rights, parent)
        call("landlock_add_rule", fd, PATH_BENEATH, ctypes.byref(beneath), 0)
    finally:
        os.close(parent)


def prepare_restriction(fd: int) -> Prepared:
    """Prepares the call that puts a ruleset on a thread for good. Needs no_new_privs."""
    return Prepared("landlock_restrict_self", fd, 0)
