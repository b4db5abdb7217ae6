"""The bubblewrap rung: where policy lets only bwrap create namespaces.

bwrap starts once for each zygote, not once for each check. `--as-pid-1` and an empty environment
matter: bwrap's own first process would show the caller's environment in /proc/1/environ.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.sandbox.cage.namespaces import WORK
from pytest_coderobust.sandbox.cage.plan import Plan


def bubblewrap(plan: Plan) -> list[str]:
    """The command line up to the program. Raises SandboxError where bwrap is not installed."""
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError("no 'bwrap' isolation here: bwrap is not installed")
    command = [program, "--unshare-all", "--die-with-parent", "--as-pid-1", "--new-session"]
    cage = str(Path(__file__).parent / "cage")
    links = [path for path in plan.readable if Path(path).is_symlink()]
    for path in (*plan.readable, *interpreter_files(), cage):
        if path in links:
            command += ["--symlink", str(Path(path).readlink()), path]
        else:
            command += ["--ro-bind", path, path]
    command += ["--proc", "/proc", "--dev", "/dev"]
    return [*command, "--tmpfs", WORK, "--chdir", WORK, "--"]


def interpreter_files() -> tuple[str, ...]:
    """The interpreter itself, with what tells it where its library is."""
    binary = Path(sys.executable)
    marker = Path(sys.prefix, "pyvenv.cfg")
    files = [binary, binary.resolve(), marker]
    return tuple(dict.fromkeys(str(path) for path in files if path.exists()))
