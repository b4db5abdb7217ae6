"""Empties a work folder between two checks, whatever the last candidate left in it."""

from __future__ import annotations

import os
from contextlib import suppress


def wipe(folder: str) -> None:
    """Deletes everything below a folder.

    Folders are emptied into the top one and then removed, so that neither a tree of any depth
    nor a path of any length needs recursion or open descriptors.

    Raises:
        OSError: something resists; the folder must not be used again.
    """
    serial = 0
    while names := os.listdir(folder):  # noqa: PTH208  pathlib stays out of the cage
        for name in names:
            path = f"{folder}/{name}"
            if os.path.islink(path) or not os.path.isdir(path):  # noqa: PTH112, PTH114
                os.unlink(path)  # noqa: PTH108
                continue
            with suppress(PermissionError):  # decided by the next call
                os.chmod(path, 0o700)  # noqa: PTH101
            for inner in os.listdir(path):  # noqa: PTH208
                serial += 1
                lift(f"{path}/{inner}", f"{folder}/.{serial}")
            os.rmdir(path)  # noqa: PTH106


def lift(path: str, to: str) -> None:
    """Moves an entry up, or removes it where that is simpler."""
    if os.path.islink(path) or not os.path.isdir(path):  # noqa: PTH112, PTH114
        os.unlink(path)  # noqa: PTH108
        return
    with suppress(PermissionError):
        os.chmod(path, 0o700)  # noqa: PTH101
    while os.path.lexists(to):
        to += "_"
    os.rename(path, to)  # noqa: PTH104
