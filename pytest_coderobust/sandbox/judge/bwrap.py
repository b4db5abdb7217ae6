"""The tier "bwrap", for machines whose policy lets only bubblewrap create namespaces.

bwrap starts once for each zygote, not once for each check. `--as-pid-1` and an empty environment
matter: bwrap's own first process would show the caller's environment in /proc/1/environ.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.sandbox.cage.namespaces import WORK
from pytest_coderobust.sandbox.cage.plan import CagePlan

WORK_BYTES = 64 << 20


def make_command(plan: CagePlan) -> list[str]:
    """Makes the command line up to the program. Raises SandboxError without bwrap."""
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError("no 'bwrap' isolation here: bwrap is not installed")
    command = [program, *list_namespaces(), "--die-with-parent", "--as-pid-1", "--new-session"]
    cage = str(Path(__file__).parents[1] / "cage")
    links = [path for path in plan.readable if Path(path).is_symlink()]
    shown = (*plan.readable, *find_interpreter_files(), cage)
    names = (*shown, *(name for _, name in plan.placed))
    parents = {str(parent) for path in names for parent in Path(path).parents} - {"/"}
    for parent in sorted(parents):  # bwrap would make them for root alone
        command += ["--perms", "0755", "--dir", parent]
    for path in shown:
        if path in links:
            command += ["--symlink", str(Path(path).readlink()), path]
        else:
            command += ["--ro-bind", path, path]
    for path, name in plan.placed:
        command += ["--ro-bind", path, name]
    command += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777"]
    if "--size" in read_help(program):  # from 0.7 on
        command += ["--size", str(WORK_BYTES)]
    return [*command, "--tmpfs", WORK, "--chdir", WORK, "--"]


def list_namespaces() -> list[str]:
    """Lists the namespaces to ask for.

    Root asks for no user namespace: bwrap would map nobody but root there, and the zygote could
    not become the user id that no account has.
    """
    if os.getuid():
        return ["--unshare-all"]
    kinds = ("ipc", "pid", "net", "uts", "cgroup-try")
    keep = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")
    return [f"--unshare-{kind}" for kind in kinds] + [
        word for name in keep for word in ("--cap-add", name)
    ]


@cache
def read_help(program: str) -> str:
    """Reads bwrap's help on its options."""
    return subprocess.run(  # noqa: S603  the machine's own bwrap
        [program, "--help"], capture_output=True, text=True, check=False
    ).stdout


def find_interpreter_files() -> tuple[str, ...]:
    """Finds the interpreter, and the file by which it finds its library."""
    binary = Path(sys.executable)
    marker = Path(sys.prefix, "pyvenv.cfg")
    files = [binary, binary.resolve(), marker]
    return tuple(dict.fromkeys(str(path) for path in files if path.exists()))
