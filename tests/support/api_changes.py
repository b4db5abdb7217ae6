"""Checks of solutions under declared API changes."""

from __future__ import annotations

from pytest_coderobust import records
from pytest_coderobust.records import ApiChange, Limits, Verdict
from pytest_coderobust.sandbox.check import Check, Sandbox

LIMITS = Limits(cpu_seconds=1)
ROOT = ApiChange("math.sqrt", "math.square_root")
JOIN = ApiChange("os.path.join", "os.path.joined")
SORT = ApiChange("sorted", "in_order")


def run_check(
    sandbox: Sandbox, solution: str, *changes: ApiChange, source: str = "assert f() == 1\n"
) -> Verdict:
    tests = records.Tests(source, "asserts")
    check = Check(solution, "f", tests, LIMITS, api_changes=changes)
    return sandbox.submit(check).result(timeout=60)
