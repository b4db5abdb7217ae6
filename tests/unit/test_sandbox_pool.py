"""The thread pool: the order of checks, the cost of a crash, and checks that need the machine alone."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast

from pytest_coderobust import records
from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Level, Limits, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.conversation import Starved
from pytest_coderobust.sandbox.judge.prediction import Predictions
from pytest_coderobust.sandbox.pool.pool import MachineLock, WorkerThread
from pytest_coderobust.sandbox.pool.taken import CheckQueue
from pytest_coderobust.sandbox.pool.workers import Worker, Workers

TESTS = records.Tests("assert f(2) == 4\nassert f(3) == 9\n", "asserts")
LIMITS = Limits(cpu_seconds=0.3, wall_seconds=2)
GOOD, WRONG = "def f(x):\n    return x * x\n", "def f(x):\n    return 4\n"
# Its value keeps the tests' own process busy until the kernel ends it.
KILLER = "def f(x):\n    return [0] * 30_000\n"
SLOW = records.Tests(
    "got = f(2)\nif got != 4:\n    while True:\n        sum(got)\nassert f(3) == 9\n", "asserts"
)
FULL = Verdict(Level.FULL, 2, 2)


def test_checks_behind_a_killer_are_judged() -> None:
    solutions = [GOOD, KILLER, GOOD, WRONG, GOOD, WRONG, GOOD]
    with open_sandbox(1) as opened:
        futures = [opened.submit(Check(text, "f", SLOW, LIMITS)) for text in solutions]
        found = [future.result(timeout=120) for future in futures]
    kinds = {GOOD: "", WRONG: "wrong-answer", KILLER: "timeout"}
    assert [verdict.failure for verdict in found] == [kinds[text] for text in solutions]


def test_closing_settles_what_is_judged_and_what_waits() -> None:
    sleeper = Check("import time\ntime.sleep(60)\n", "f", TESTS)
    opened = open_sandbox(1)
    futures = [opened.submit(Check(GOOD, "f", TESTS)), *(opened.submit(sleeper) for _ in range(7))]
    while not futures[1].running():
        time.sleep(0.01)
    opened.close()
    assert all(future.done() for future in futures)
    kinds = {type(future.exception()) for future in futures[1:] if not future.cancelled()}
    assert kinds == {SandboxError}


class Script:
    """A script for workers, and a record of the checks that ran at the same time.

    Args:
        acts: by solution what becomes of each attempt: a verdict's `starved`, or a death.
    """

    def __init__(self, acts: dict[str, list[Starved | type[Exception]]]) -> None:
        self.acts = acts
        self.order: list[str] = []
        self.beside: dict[str, int] = {}
        self._busy = 0
        self._lock = threading.Lock()

    def begin(self, solution: str) -> None:
        with self._lock:
            self.order.append(solution)
            self._busy += 1
            self.beside[solution] = self._busy - 1
        time.sleep(0.002)

    def end(self) -> None:
        with self._lock:
            self._busy -= 1


class Scripted:
    """A worker that does what its script says."""

    forks = 0

    def __init__(self, script: Script) -> None:
        self._script = script

    def judge(self, check: Check) -> tuple[Verdict, Starved]:
        if check.solution == "unwritable":
            raise TypeError("not JSON")
        self._script.begin(check.solution)
        try:
            act = self._script.acts.get(check.solution, [""]).pop(0)
            if isinstance(act, str):
                return FULL, act
            raise act
        finally:
            self._script.end()

    def count(self, check: Check) -> int:
        return len(check.solution)


class ScriptedWorkers:
    """Hands out scripted workers."""

    tier = "scripted"
    closed = False

    def __init__(self, script: Script) -> None:
        self.script = script
        self.opened = 0

    def open(self) -> Worker:
        self.opened += 1
        return cast("Worker", Scripted(self.script))

    def end(self, worker: Worker) -> int:
        del worker
        return -9


def play(
    solutions: Iterable[str], script: Script, count: int = 1
) -> tuple[list[Future[Verdict]], ScriptedWorkers]:
    """Queues everything at once and lets `count` threads settle it."""
    checks: CheckQueue = queue.SimpleQueue()
    futures: list[Future[Verdict]] = []
    for solution in solutions:
        futures.append(Future())
        checks.put((Check(solution, "f", TESTS), futures[-1]))
    for _ in range(count):
        checks.put(None)
    workers, machine = ScriptedWorkers(script), MachineLock()
    bodies: Sequence[Callable[[], Any]] = [
        WorkerThread(checks, cast("Workers", workers), machine).run for _ in range(count)
    ]
    threads = [threading.Thread(target=body, daemon=True) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    return futures, workers


def test_a_starved_check_is_tried_again_with_nothing_beside_it() -> None:
    names = [f"{at}" for at in range(40)]
    script = Script({name: ["perhaps", ""] for name in names[5:25:5]})
    futures, _ = play(names, script, count=3)
    assert all(future.result().full for future in futures)
    assert sorted(script.order) == sorted(names + names[5:25:5])
    assert {script.beside[name] for name in names[5:25:5]} == {0}


def test_a_check_that_gets_no_processor_even_alone_is_an_error() -> None:
    script = Script({"a": ["surely", "surely"], "b": ["perhaps", "perhaps"]})
    (first, second, third), _ = play("abc", script)
    assert "no processor" in str(first.exception())
    assert second.result().full
    assert third.result().full


def test_a_death_costs_an_attempt_and_nobody_else() -> None:
    script = Script({"b": [EOFError, ""], "d": [EOFError, OSError]})
    futures, workers = play("abcdef", script)
    found = [future.result() for future in futures]
    assert [verdict.failure for verdict in found] == ["", "", "", "died", "", ""]
    assert script.order == list("abbcddef")
    assert workers.opened == 4


def test_what_nobody_foresaw_costs_one_future_and_no_lock() -> None:
    script = Script({"b": [RuntimeError], "e": ["perhaps", ""]})
    names = ["a", "b", "c", "unwritable", "d", "e", "unwritable", "f", "g", "h", "i"]
    futures, _ = play(names, script, count=2)
    failed = {name for name, each in zip(names, futures, strict=True) if each.exception()}
    assert failed == {"b", "unwritable"}
    assert "RuntimeError" in str(futures[1].exception())
    assert "not JSON" in str(futures[3].exception())
    assert script.beside["e"] == 0


def test_a_check_that_cannot_be_written_ends_nothing() -> None:
    strange: Any = object()
    with open_sandbox(1) as opened:
        futures = [
            opened.submit(Check(GOOD, "f", TESTS, Limits(memory_mb=memory)))
            for memory in (512, strange, 512, 512, strange, 512)
        ]
        assert [future.exception() is None for future in futures] == [
            True, False, True, True, False, True,
        ]  # fmt: skip
        assert "cannot be judged" in str(futures[1].exception())


def test_workers_share_what_they_learn(tmp_path: Path) -> None:
    predictions = Predictions()
    check, key = Check(GOOD, "f", TESTS), (TESTS, "f")
    shared = tmp_path / "shared"
    shared.mkdir()
    first, second = (
        Worker(tmp_path / name, shared, ["rlimits"], predictions) for name in ("one", "two")
    )
    try:
        for worker in (first, second):
            assert worker.judge(check)[0].full
            assert predictions.get(key) == [{"args": [2]}, {"args": [3]}]
        predictions.learn(key, [{"args": [5]}])  # the second one tries it, and says that it misled
        assert second.judge(check)[0].full
        assert predictions.get(key) == []
    finally:
        first.close()
        second.close()
