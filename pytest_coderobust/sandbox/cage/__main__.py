"""Starts the zygote: `python -s -S cage/ CONTROL_FD ALIVE_FD PLAN`, in an emptied environment.

The package around this folder is not importable in the cage (no site-packages, and its own
dependencies have no business here), so its name is bound to this folder alone.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  pathlib weighs on forks
PARENTS = ("pytest_coderobust", "pytest_coderobust.sandbox")


def bind_package() -> None:
    """Makes `pytest_coderobust.sandbox.cage` this folder and its parents empty."""
    for name in PARENTS:
        parent = ModuleType(name)
        parent.__path__ = []
        sys.modules[name] = parent
    cage = ModuleType("pytest_coderobust.sandbox.cage")
    cage.__path__ = [HERE]
    sys.modules[cage.__name__] = cage


if __name__ == "__main__":
    bind_package()
    sys.path.remove(HERE)  # a candidate's `import wire` finds nothing
    from pytest_coderobust.sandbox.cage.plan import CagePlan
    from pytest_coderobust.sandbox.cage.zygote import main

    main(int(sys.argv[1]), int(sys.argv[2]), CagePlan.read(sys.argv[3]))
