from __future__ import annotations

from concurrent.futures import Future
from dataclasses import astuple, replace
from pathlib import Path

import pytest

from pytest_coderobust.config.suite import make_named_suite
from pytest_coderobust.engine import keys
from pytest_coderobust.engine.events import ChecksJudged, silent
from pytest_coderobust.engine.verdicts import VerdictStore
from pytest_coderobust.errors import SandboxError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.records import ApiChange, Level, Tests, Verdict, digest
from pytest_coderobust.sandbox.check import Check

TESTS = Tests("assert f()", "asserts")


class Court:
    """A sandbox that judges by the solution's text, and remembers what it was asked."""

    tier = "court"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def submit(self, check: Check) -> Future[Verdict]:
        self.asked.append(check.solution)
        future: Future[Verdict] = Future()
        if check.solution == "broken harness":
            future.set_exception(SandboxError("the harness broke"))
        else:
            full = check.solution == "right"
            level = Level.FULL if full else Level.LOAD
            future.set_result(Verdict(level, int(full), 1, "" if full else "wrong-answer"))
        return future

    def close(self) -> None:
        pass


def check(solution: str) -> Check:
    return Check(solution, "f", TESTS)


@pytest.fixture
def court() -> Court:
    return Court()


@pytest.fixture
def judge(tmp_path: Path, court: Court):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    yield VerdictStore(court, ledger, silent)
    ledger.close()


def test_equal_checks_are_judged_once(judge: VerdictStore, court: Court) -> None:
    found = judge.verdicts([check("right"), check("wrong"), check("right")])
    assert found[judge.key(check("right"))].full
    assert not found[judge.key(check("wrong"))].full
    judge.verdicts([check("wrong")])
    assert sorted(court.asked) == ["right", "wrong"]


def test_failure_of_the_harness_is_an_error_for_that_check_alone(judge: VerdictStore) -> None:
    judge.begin([check("broken harness"), check("right")])
    judge.finish()
    assert judge.verdicts([check("right")])[judge.key(check("right"))].full
    with pytest.raises(SandboxError, match="the harness broke"):
        judge.verdicts([check("broken harness")])


def test_failure_of_the_harness_is_not_remembered(judge: VerdictStore, court: Court) -> None:
    for _ in range(2):
        with pytest.raises(SandboxError):
            judge.verdicts([check("broken harness")])
    assert len(court.asked) == 2


def test_checks_are_told_when_they_are_stored(tmp_path: Path, court: Court) -> None:
    heard: list[object] = []
    ledger = Ledger(tmp_path / "ledger.sqlite")
    judge = VerdictStore(court, ledger, heard.append)
    judge.verdicts([check("right"), check("wrong")])
    assert sum(event.checks for event in heard if isinstance(event, ChecksJudged)) == 2
    ledger.close()


def test_the_counting_of_uses_is_in_the_keys_of_what_counts_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = check("right")
    counted = replace(plain, api_changes=(ApiChange("math.sqrt", "math.root"),))
    adapted = replace(
        plain, api_changes=(ApiChange("math.sqrt", "math.root", "keyword-only", ("x",)),)
    )
    config = make_named_suite("quickstart", Path())
    backend = open_backend("oracle")

    def make_keys() -> list[str]:
        keys_of_checks = [keys.make_verdict_key(each, "ns") for each in (plain, counted, adapted)]
        runs = [
            keys.digest_run("plan", config, backend, "ns", each.api_changes)
            for each in (plain, counted)
        ]
        return [*keys_of_checks, *runs]

    before = make_keys()
    assert len(set(before)) == 5
    monkeypatch.setattr(keys, "USES_VERSION", "another")
    after = make_keys()
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, False, True, False]
    # As keys were before uses had a version.
    judged = (plain.solution, astuple(plain.tests), plain.entry_point, plain.language)
    judge = (keys.JUDGE_VERSION, keys.toolchain_version("python"), "ns")
    assert before[0] == digest("verdict", judged, ([], False), astuple(plain.limits), judge)
