"""Limits of a candidate's process, set in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

LOWER = """
import json, os, resource, sys
from pytest_coderobust.sandbox.cage import limits
if sys.argv[1] == "no table":
    limits.MACHINE = "vax"
if os.getuid() == 0:
    os.setuid(65534)
kinds = resource.RLIMIT_CPU, resource.RLIMIT_AS
restrict = limits.Restriction(limits.CageLimits(2.5, 1.0, 9.0, 3 << 30, 1))
restrict()
first = [resource.getrlimit(kind) for kind in kinds]
limits.Restriction(limits.CageLimits(1.0, 1.0, 9.0, 5 << 30, 1))()
print(json.dumps([first, [resource.getrlimit(kind) for kind in kinds]]))
"""


@pytest.mark.parametrize("machine", ["this", "no table"])
def test_limits_fall_and_never_rise(machine: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOWER, machine], capture_output=True, check=True, text=True
    )
    first, second = json.loads(done.stdout)
    assert first == [[4, 4], [3 << 30, 3 << 30]]
    assert second == [[2, 2], [3 << 30, 3 << 30]]
