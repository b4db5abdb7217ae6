"""Sandboxes of executors: the verdicts of the local pool, whoever runs the processes."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.hunt_model import Reader, write_suite
from support.judge_nodes import FACTS

from pytest_coderobust.config.settings import Settings
from pytest_coderobust.engine.events import ChecksJudged, Event
from pytest_coderobust.errors import SandboxError, UnknownName, UsageError
from pytest_coderobust.records import Cell, Limits, Status, Tests, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.nodes.executor import ExecutorNode, ExecutorSandbox
from pytest_coderobust.sandbox.nodes.judging import judge_frames
from pytest_coderobust.sandbox.nodes.sandbox import NodeSandbox
from pytest_coderobust.session.choices import make_choices, spell_for_python
from pytest_coderobust.session.session import Session

TESTS = Tests("assert f(2) == 4\nassert f(3) == 9\n", "asserts")
LIMITS = Limits(cpu_seconds=0.3, wall_seconds=4)
SOLUTIONS = (
    "def f(x):\n    while True:\n        pass\n",
    "import os\nos._exit(3)\n",
    "def f(x):\n    return x * x\n",
    "def f(x):\n    return 4\n",
    "def f(x):\n    raise ValueError('\\ud800 [bold]')\n",
    "def f(x:\n",
    "def g(x):\n    return x\n",
    "",
)
CHECKS = tuple(
    Check(text, "f", Tests(TESTS.source + f"assert f({task}) == {task**2}\n", "asserts"), LIMITS)
    for task in range(3)
    for text in SOLUTIONS[task:]
)


def settle(futures: list[Future[Verdict]]) -> list[Verdict]:
    """The verdicts without their times, which no two runs share."""
    return [replace(future.result(timeout=120), cpu_seconds=0.0) for future in futures]


@pytest.fixture(scope="module")
def local() -> list[Verdict]:
    with open_sandbox(2) as sandbox:
        return settle([sandbox.submit(check) for check in CHECKS])


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of temporary files of every process that is started meanwhile."""
    folder = tmp_path_factory.mktemp("places")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        yield folder


def open_processes(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"))


def test_processes_reach_the_verdicts_of_the_local_pool_and_leave_nothing(
    local: list[Verdict], places: Path
) -> None:
    with open_processes(2) as executor, ExecutorSandbox(executor, 1, processes=2) as sandbox:
        assert (sandbox.tier, sandbox.workers) == (local[0].tier, 2)
        assert settle([sandbox.submit(check) for check in CHECKS]) == local
    assert list(places.iterdir()) == []


def test_threads_of_one_process_share_its_sandbox(local: list[Verdict]) -> None:
    with ThreadPoolExecutor(3) as executor, ExecutorSandbox(executor, 2) as sandbox:
        assert settle([sandbox.submit(check) for check in CHECKS]) == local


def test_nothing_but_bytes_is_pickled(local: list[Verdict]) -> None:
    class PicklingExecutor(ThreadPoolExecutor):
        """Executor that pickles what goes and comes, and lets no class of ours through."""

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            carried = pickle.dumps([args, kwargs])
            assert b"coderobust" not in carried.replace(b"pytest-coderobust", b"")
            return super().submit(lambda: pickle.loads(pickle.dumps(plain(fn(*args, **kwargs)))))

    def plain(found: Any) -> Any:
        assert type(found) is bytes or {type(frame) for frame in found} == {bytes}
        return found

    with PicklingExecutor(2) as executor, ExecutorSandbox(executor, 2) as sandbox:
        assert settle([sandbox.submit(check) for check in CHECKS[:8]]) == local[:8]


def test_a_process_that_dies_ends_the_sandbox_with_a_reason() -> None:
    with open_processes(1) as executor, ExecutorSandbox(executor, 1) as sandbox:
        assert sandbox.submit(CHECKS[2]).result(timeout=120).full
        os.kill(executor.submit(os.getpid).result(), signal.SIGKILL)
        futures = [sandbox.submit(check) for check in CHECKS[:4]]
        told = {str(future.exception(timeout=120)) for future in futures}
    assert len(told) == 1
    assert told.pop().startswith("no node is left to judge on (ProcessPoolExecutor: ")


def test_a_process_that_judges_in_another_way_is_refused() -> None:
    with ThreadPoolExecutor(1) as executor, open_sandbox(1) as here:
        other = "seccomp" if here.tier != "seccomp" else "bwrap"
        said = f"ThreadPoolExecutor judges in another way: isolation '.*' there, '{other}' here"
        with pytest.raises(SandboxError, match=said):
            ExecutorSandbox(executor, 1, tier=other)


def test_frames_that_are_no_checks_are_answered_one_by_one() -> None:
    from pytest_coderobust.sandbox.nodes.frames import read_reply_frame, write_check_frame

    good = write_check_frame(CHECKS[2])
    found = judge_frames([b"{}", good, b"\xff", b"[1]"], 2)
    assert read_reply_frame(found[1]).verdict.full
    for frame in (found[0], found[2], found[3]):
        with pytest.raises(SandboxError, match="the node cannot judge the check: "):
            read_reply_frame(frame)


@pytest.mark.parametrize(("lanes", "processes"), [(0, 1), (1, 0)])
def test_impossible_numbers_are_refused(lanes: int, processes: int) -> None:
    with ThreadPoolExecutor(1) as executor, pytest.raises(UsageError, match="at least 1"):
        ExecutorSandbox(executor, lanes, processes=processes)


class NobodyExecutor(Executor):
    """Executor whose processes all hang."""

    def submit(self, *_: Any, **__: Any) -> Future[Any]:
        return Future()


def test_an_executor_of_which_no_process_answers_is_gone_with_a_reason() -> None:
    node = ExecutorNode(NobodyExecutor(), 1, 1, ("ns",), patience=0.0)
    with NodeSandbox([node], FACTS) as sandbox:
        futures = [sandbox.submit(check) for check in CHECKS[:6]]
        sandbox.expire(1e12)
        told = {str(future.exception(timeout=120)) for future in futures}
    reason = "NobodyExecutor: no process of it answers in 0 s"
    assert told == {f"no node is left to judge on ({reason})"}


def test_closing_does_not_wait_for_an_executor_that_hangs() -> None:
    node = ExecutorNode(NobodyExecutor(), 1, 1, ("ns",), patience=1e9)
    with NodeSandbox([node], FACTS) as sandbox:
        future = sandbox.submit(CHECKS[0])
        sandbox.expire(1e12)
    assert future.cancelled() or str(future.exception()) == "the sandbox was closed"


def test_an_executor_that_its_owner_has_shut_down_is_one_sentence() -> None:
    said = "cannot schedule new futures after shutdown"
    with ThreadPoolExecutor(1) as executor, ExecutorSandbox(executor, 1) as sandbox:
        executor.shutdown()
        told = str(sandbox.submit(CHECKS[2]).exception(timeout=120))
        assert told.startswith("no node is left to judge on (ThreadPoolExecutor: it cannot be ")
        assert said in told
        with pytest.raises(SandboxError, match=f"^ThreadPoolExecutor: it cannot be .*{said}"):
            ExecutorSandbox(executor, 1)


def test_a_process_that_cannot_start_is_one_sentence() -> None:
    with ProcessPoolExecutor(1, initializer=os._exit, initargs=(3,)) as executor:
        said = "^ProcessPoolExecutor: it cannot be called: BrokenProcessPool: "
        with pytest.raises(SandboxError, match=said):
            ExecutorSandbox(executor, 1)


def test_a_tier_that_does_not_exist_is_refused_by_name() -> None:
    said = r"unknown sandbox tier 'bwrp'.*'bwrap'"
    with ThreadPoolExecutor(1) as executor, pytest.raises(UnknownName, match=said):
        ExecutorSandbox(executor, 1, tier="bwrp")


def test_a_session_judges_in_an_open_sandbox_and_leaves_it_open(tmp_path: Path) -> None:
    write_suite(tmp_path)
    with ThreadPoolExecutor(2) as executor, ExecutorSandbox(executor, 1) as sandbox:
        choices = make_choices({"judges": sandbox}, spell_for_python)
        choices = replace(choices, ledger=tmp_path / "ledger.sqlite")
        backend, heard = Reader(lambda _prompt: 0.0), list[Event]()
        with Session(choices, Settings(), tmp_path, backend=backend) as session:
            session.listeners.append(heard.append)
            measurement = session.suite("toy.toml").measurement
            (task,) = measurement.plan.tasks.values()
            assert measurement.measure(task, Cell()).observation.status is Status.SOLVED
        assert any(isinstance(event, ChecksJudged) for event in heard)
        assert sandbox.submit(CHECKS[2]).result(timeout=120).full


@pytest.mark.slow  # the cut version is the pool of processes
def test_dask_reaches_the_verdicts_of_the_local_pool(local: list[Verdict], places: Path) -> None:
    distributed: Any = pytest.importorskip(
        "distributed", reason="Dask's distributed is not installed (pip install distributed)"
    )
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=2, dashboard_address=None, local_directory=str(places)
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        executor: Executor = client.get_executor()
        with ExecutorSandbox(executor, 1, processes=2) as sandbox:
            assert settle([sandbox.submit(check) for check in CHECKS]) == local
