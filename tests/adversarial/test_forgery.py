"""No program gets a pass without the right values."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from forgeries import FORGERIES, HONEST, TESTS, Forgery
from naive_runner import naive_passes

from pytest_coderobust import records
from pytest_coderobust.records import Limits, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check, Sandbox

LIMITS = Limits(cpu_seconds=2, wall_seconds=5)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(1) as opened:
        yield opened


def run_check(sandbox: Sandbox, solution: str) -> Verdict:
    check = Check(solution, "solve", records.Tests(TESTS, "check"), LIMITS)
    return sandbox.submit(check).result(timeout=60)


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
def test_forgery_gets_no_pass(sandbox: Sandbox, forgery: Forgery) -> None:
    verdict = run_check(sandbox, forgery.solution)
    assert not verdict.full
    assert verdict.failure
    assert run_check(sandbox, HONEST).full  # and the next check is unharmed


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
def test_forgery_beats_a_naive_runner(forgery: Forgery) -> None:
    assert naive_passes(forgery.beats, forgery.solution, TESTS, "solve")


@pytest.mark.parametrize("kind", ["exit", "list", "printed"])
def test_naive_runner_tells_right_from_wrong(kind: str) -> None:
    assert naive_passes(kind, HONEST, TESTS, "solve")
    assert not naive_passes(kind, "def solve(x):\n    return 4\n", TESTS, "solve")
