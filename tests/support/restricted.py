"""Runs a Python module on a kernel that refuses some system calls: `restricted.py NAMES MODULE ...`.

For tests of what happens where less isolation works; needs no privilege.
"""

from __future__ import annotations

import os
import sys

from pytest_coderobust.sandbox.cage import seccomp
from pytest_coderobust.sandbox.cage.kernel import PR_SET_NO_NEW_PRIVS, prctl


def main() -> None:
    names, sys.argv = sys.argv[1].split(","), sys.argv[2:]
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    lines = [(seccomp.LOAD, 0, 0, seccomp.NR), *seccomp.refuse_all(names), seccomp.PASS]
    seccomp.Filter(lines).install()
    os.execv(sys.executable, [sys.executable, "-m", *sys.argv])  # the filter goes along


if __name__ == "__main__":
    main()
