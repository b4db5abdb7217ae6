"""Which files an interpreter needs to run a program: what candidates may read."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

SYSTEM = (
    "/lib", "/lib64", "/lib32", "/libx32", "/usr/lib", "/usr/lib64", "/usr/lib32",
    "/usr/local/lib", "/etc/ld.so.cache", "/usr/share/zoneinfo",
)  # fmt: skip


def readable_paths(more: Iterable[str] = ()) -> tuple[str, ...]:
    """The standard library, compiled modules and system libraries, no path below another.

    Args:
        more: other paths to show.
    """
    paths = sysconfig.get_paths()
    wanted = [Path(paths["stdlib"]), Path(paths["platstdlib"]), Path(sys.base_prefix, "lib")]
    if sys.prefix != sys.base_prefix:
        # A virtual environment's own folder holds no part of the standard library.
        wanted = [path for path in wanted if Path(sys.prefix) not in path.parents]
    wanted += [Path(path) for path in (*SYSTEM, *more)]
    return outermost(path for path in wanted if path.exists() or path.is_symlink())


def outermost(paths: Iterable[Path]) -> tuple[str, ...]:
    """Paths in order, without those below another one."""
    kept: list[Path] = []
    for path in sorted(set(paths)):
        if not any(outer == path or outer in path.parents for outer in kept):
            kept.append(path)
    return tuple(map(str, kept))
