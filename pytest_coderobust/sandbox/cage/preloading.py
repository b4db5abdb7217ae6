"""Packages made ready in the zygote: imported once, in the cage, so that each fork has them.

What the cage forbids is forbidden here too: a package that wants it fails now, by name, and not in
the middle of a solution's check.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from pytest_coderobust.sandbox.cage import apis
from pytest_coderobust.sandbox.cage.frames import describe
from pytest_coderobust.sandbox.cage.libraries import ModuleCode, find_vocabularies
from pytest_coderobust.sandbox.cage.plan import CagePlan
from pytest_coderobust.sandbox.cage.vocabulary import speak

PAGE = os.sysconf("SC_PAGE_SIZE")
REFUSED = ("PermissionError", "BlockingIOError")
FORBIDDEN = "needs what the cage forbids (another process, the network, a file of others)"


class PreloadError(Exception):
    """A package cannot be made ready here; the message goes on after its name."""


def preload_packages(plan: CagePlan, code: ModuleCode, tell: Callable[[Any], None]) -> int:
    """Imports a plan's packages; returns by how many bytes of addresses this process grew.

    Args:
        code: of our own modules that need the packages, from before the isolation.
        tell: hears the name of each package before it is imported, in case nothing follows.

    Raises:
        PreloadError: one raises, starts a thread or a process.
    """
    before = measure_addresses()
    sys.path += plan.roots
    apis.add_library(plan.roots)  # API changes are for solutions, not for packages
    sys.dont_write_bytecode = True
    for distribution, module in plan.modules:
        tell({"importing": distribution})
        try:
            importlib.import_module(module)
        except BaseException as error:  # noqa: BLE001  SystemExit included
            raise PreloadError(explain(module, error)) from None
        check_alone()
    speak(find_vocabularies(plan.libraries, code))
    check_alone()
    return max(0, measure_addresses() - before)


def explain(module: str, error: BaseException) -> str:
    """Says why a module cannot be imported in the cage."""
    found = describe(error)
    text = " ".join(f"{found['kinds'][0]}: {found['text']}".split())
    reason = FORBIDDEN if set(REFUSED) & set(found["kinds"]) else "does not work in the cage"
    return f"{reason}: importing {module!r} there raises {text}"


def check_alone() -> None:
    """Refuses a package that left threads or processes: a fork copies neither.

    Raises:
        PreloadError: it did.
    """
    try:
        threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208  pathlib stays out of the cage
    except OSError:  # no /proc inside some containers: Python's own threads are known at least
        threads = 1 + sys.modules["_thread"]._count()  # noqa: SLF001
    if threads > 1:
        raise PreloadError("starts threads when it is imported, which the cage's forks would lack")
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return
    raise PreloadError(f"{FORBIDDEN}: it starts a process when it is imported")


def measure_addresses() -> int:
    """Measures this process's address space in bytes; 0 where that is unknown."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123
            return int(file.read().split()[0]) * PAGE
    except (OSError, ValueError, IndexError):
        return 0
