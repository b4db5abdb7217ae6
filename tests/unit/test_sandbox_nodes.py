"""The coordinator of nodes: every check ends, one that kills nodes fails alone, nothing is mixed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.judge_nodes import FACTS, TESTS, ScriptedNode, make_check

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Language, Level, Verdict
from pytest_coderobust.sandbox.nodes.calls import NodeSeat, bound_seconds
from pytest_coderobust.sandbox.nodes.frames import write_reply_frame
from pytest_coderobust.sandbox.nodes.runner import OneRunner
from pytest_coderobust.sandbox.nodes.sandbox import NodeSandbox
from pytest_coderobust.sandbox.nodes.waiting import NodeCheck

SOON = 60.0
"""Seconds after which a test fails that would hang."""
LATE = 1e12
"""A time when every call is overdue."""


@contextmanager
def open_nodes(
    *lanes: int, lives: int = 1_000_000
) -> Iterator[tuple[NodeSandbox, list[ScriptedNode]]]:
    with ThreadPoolExecutor(4) as threads:
        nodes = [ScriptedNode(f"node-{at}", each, threads, lives) for at, each in enumerate(lanes)]
        with NodeSandbox(nodes, FACTS) as sandbox:
            yield sandbox, nodes


def tell(future: Future[Verdict]) -> str:
    """The solution that a verdict is about, or the error."""
    try:
        return future.result(timeout=SOON).detail
    except SandboxError as error:
        return f"SandboxError: {error}"


@given(
    st.lists(st.tuples(st.sampled_from(["good", "good", "good", "kill"]), st.integers(0, 5)), max_size=40),
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
)  # fmt: skip
def test_a_check_that_kills_nodes_fails_alone(
    asked: list[tuple[str, int]], lanes: list[int]
) -> None:
    solutions = [f"{word} {at}" for at, (word, _) in enumerate(asked)]
    with open_nodes(*lanes) as (sandbox, nodes):
        futures = [
            sandbox.submit(make_check(solution, task))
            for solution, (_, task) in zip(solutions, asked, strict=True)
        ]
        told = [tell(future) for future in futures]
    for solution, found in zip(solutions, told, strict=True):
        if solution.startswith("kill"):
            assert found.startswith(
                "SandboxError: 2 nodes died with this check, the last was node-"
            )
            assert "NodeDeathError: out of memory" in found
        else:
            assert found == solution
    for node in nodes:
        assert all(0 in found for text, found in node.beside.items() if len(found) > 1)
    killers = [
        call for node in nodes for call in node.seen for each in call if each.startswith("kill")
    ]
    assert len(killers) == 2 * sum(word == "kill" for word, _ in asked)
    assert all(node.closed for node in nodes)


@given(
    st.lists(st.sampled_from(["good", "kill", "refuse", "error", "foreign", "short"]), max_size=30),
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.integers(0, 3),
)  # fmt: skip
def test_every_check_ends_whatever_becomes_of_the_nodes(
    words: list[str], lanes: list[int], lives: int
) -> None:
    with open_nodes(*lanes, lives=lives) as (sandbox, _):
        futures = [
            sandbox.submit(make_check(f"{word} {at}", at % 4)) for at, word in enumerate(words)
        ]
        told = [tell(future) for future in futures]
    for at, (word, found) in enumerate(zip(words, told, strict=True)):
        if word != "good":
            assert found.startswith("SandboxError: ")
        else:
            assert (
                found == f"good {at}" or "no node is left to judge on (node-0: its machine" in found
            )
    if "kill" not in words:
        assert all(found == f"good {at}" for at, found in enumerate(told) if words[at] == "good")


@pytest.mark.parametrize(
    ("solution", "said"),
    [("error", "the tests cannot be run"),
     ("foreign", "node-0 judges in another way: isolation 'no-ns' there, 'ns' here"),
     ("refuse", "no verdict after 2 tries: node-0: RefusalError: no"),
     ("short", "no verdict after 2 tries: node-0: ValueError: 0 answers to 1 checks")],
)  # fmt: skip
def test_trouble_with_one_check_is_its_own(solution: str, said: str) -> None:
    with open_nodes(2) as (sandbox, _):
        futures = [sandbox.submit(make_check(text)) for text in ("good 1", solution, "good 2")]
        assert [tell(future) for future in futures] == ["good 1", f"SandboxError: {said}", "good 2"]


def test_a_node_that_hangs_is_replaced_and_its_other_checks_are_judged() -> None:
    with open_nodes(1) as (sandbox, nodes):
        hanging, other = (sandbox.submit(make_check(text)) for text in ("hang", "once"))
        assert nodes[0].seen == [["hang"], ["once"]]
        sandbox.expire(LATE)
        while len(nodes[0].seen) < 3:
            time.sleep(0.001)
        sandbox.expire(LATE)
        assert tell(other) == "once"
        assert tell(hanging).endswith("the last was node-0: it did not answer in time")
    assert nodes[0].seen[2:] == [["hang"], ["once"]]


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=20), st.integers(1, 64), st.booleans())
def test_a_call_is_due_after_all_that_the_node_may_still_have_to_do(
    limits: list[float], lanes: int, apart: bool
) -> None:
    checks = [NodeCheck(b"", (TESTS, "f"), each, Future()) for each in limits]
    with ThreadPoolExecutor(1) as threads:
        seat = NodeSeat(0, ScriptedNode("node", lanes, threads))
    parts = [[check] for check in checks] if apart else [checks]
    last = [seat.begin(part, 1000.0) for part in parts][-1]
    least = 1000 + 2 * max(max(limits), sum(limits) / lanes) + 60
    assert last.due == pytest.approx(least)
    assert seat.lose_calls() == checks


def test_no_call_is_overdue_before_twice_its_checks_time_and_a_minute() -> None:
    with open_nodes(1) as (sandbox, nodes):
        future = sandbox.submit(make_check("hang"))
        sandbox.expire(0.0)
        assert not future.done()
    assert nodes[0].closed == [1_000_000]


def test_what_was_on_a_node_that_died_is_judged_alone() -> None:
    with open_nodes(3) as (sandbox, nodes):
        texts = [
            *(f"good {at}" for at in range(20)),
            "kill",
            *(f"good {at}" for at in range(20, 40)),
        ]
        told = [tell(future) for future in [sandbox.submit(make_check(text)) for text in texts]]
    assert [text for text, found in zip(texts, told, strict=True) if text != found] == ["kill"]
    again = {text: found for text, found in nodes[0].beside.items() if len(found) > 1}
    assert "kill" in again
    assert all(found[1:] == [0] for found in again.values())


def test_a_suspect_waits_until_a_node_has_nothing_else() -> None:
    with open_nodes(2, 1) as (sandbox, (busy, dying)):
        dying.lives = 0
        other, killer = sandbox.submit(make_check("once", 0)), sandbox.submit(make_check("kill", 1))
        while sandbox.workers > 2:
            time.sleep(0.001)
        last = sandbox.submit(make_check("good"))
        assert busy.seen == [["once"]]
        sandbox.expire(LATE)
        assert [tell(future) for future in (other, last)] == ["once", "good"]
        assert tell(killer).startswith("SandboxError: 2 nodes died with this check")
    assert dying.seen == [["kill"]]
    assert busy.beside["kill"] == [0]
    assert busy.beside["once"] == [0, 0]


def test_a_call_to_a_node_that_died_never_reaches_the_one_in_its_place() -> None:
    with open_nodes(2) as (sandbox, (node,)):
        futures: list[Future[Verdict]] = []

        def submit_two() -> None:  # while the first is being sent, so that both are dealt at once
            futures.extend(sandbox.submit(make_check(text)) for text in ("good", "late"))

        def lose_node() -> None:
            sandbox.expire(LATE)
            while node.replaced < 1:
                time.sleep(0.001)

        def look() -> None:
            reached.append(node.lived["late"])

        reached: list[int] = []
        node.at_call.update({"opener": submit_two, "good": lose_node, "late": look})
        tell(sandbox.submit(make_check("opener")))
        assert [tell(future) for future in futures] == ["good", "late"]
    assert reached == [node.lives]


def test_nodes_go_on_while_a_suspect_waits() -> None:
    with open_nodes(1, 1) as (sandbox, (going, trying)):
        sandbox.submit(make_check("hang", 0))
        trial = [sandbox.submit(make_check(text, 1)) for text in ("hang", "kill")]
        while trying.beside.get("hang") != [0, 0]:  # alone, after the other killed its node
            time.sleep(0.001)
        assert [tell(sandbox.submit(make_check(f"good {at}", 0))) for at in range(3)] == [
            "good 0", "good 1", "good 2"
        ]  # fmt: skip
        assert not any(future.done() for future in trial)
    assert going.beside["good 0"] == [1]


def test_a_ctrl_c_while_checks_are_dealt_loses_none() -> None:
    with open_nodes(3) as (sandbox, (node,)):
        futures: list[Future[Verdict]] = []

        def submit_more() -> None:  # while the first is being sent, so that all are dealt at once
            futures.extend(sandbox.submit(make_check(f"good {at}", at)) for at in range(3))

        def interrupt() -> None:
            raise KeyboardInterrupt

        node.at_call.update({"opener": submit_more, "good 1": interrupt})
        with pytest.raises(KeyboardInterrupt):
            sandbox.submit(make_check("opener"))
        assert len(futures) == 3
        assert tell(sandbox.submit(make_check("last"))) == "last"
        assert [tell(future) for future in futures] == ["good 0", "good 1", "good 2"]


def test_a_ctrl_c_while_answers_are_read_loses_no_other() -> None:
    with open_nodes(1) as (sandbox, (node,)):
        futures: list[Future[Verdict]] = []

        def interrupt(_: Future[Verdict]) -> None:
            raise KeyboardInterrupt

        def submit_more() -> None:
            futures.extend(sandbox.submit(make_check(f"good {at}")) for at in range(4))
            futures[0].add_done_callback(interrupt)

        answered: Future[list[bytes]] = Future()
        answered.set_result([write_reply_frame(FACTS, Verdict(Level.FULL, 1, 1))] * 2)
        node.instead["good 0"] = [answered]
        node.at_call["opener"] = submit_more
        with pytest.raises(KeyboardInterrupt):
            sandbox.submit(make_check("opener"))
        assert futures[0].result(timeout=0).full
        assert tell(sandbox.submit(make_check("last"))) == "last"
        assert [tell(future) for future in futures[1:]] == ["good 1", "good 2", "good 3"]
    assert ["good 0", "good 1"] in node.seen


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_a_ctrl_c_on_a_node_is_that_calls(error: type[BaseException]) -> None:
    with open_nodes(1) as (sandbox, (node,)):
        failed: Future[list[bytes]] = Future()
        failed.set_exception(error("there"))
        node.instead["unlucky"] = [failed, failed]
        told = tell(sandbox.submit(make_check("unlucky")))
        assert told == f"SandboxError: no verdict after 2 tries: node-0: {error.__name__}: there"
        assert tell(sandbox.submit(make_check("good"))) == "good"


def test_an_answer_that_cannot_be_read_fails_alone() -> None:
    class OddFrame(bytes):
        """Bytes that no reader expects."""

        def decode(self, *_: object, **__: object) -> str:
            raise LookupError("odd")

    with open_nodes(1) as (sandbox, (node,)):
        answered: Future[list[bytes]] = Future()
        answered.set_result([OddFrame(b"{}")])
        node.instead["odd"] = [answered]
        assert tell(sandbox.submit(make_check("odd"))) == (
            "SandboxError: no verdict: node-0: LookupError: odd"
        )
        assert tell(sandbox.submit(make_check("good"))) == "good"


@pytest.mark.parametrize(("language", "least"), [("python", 0), ("cpp", 60), ("java", 60)])
def test_a_check_that_is_compiled_has_the_time_for_it(language: Language, least: float) -> None:
    check = replace(make_check(""), language=language)
    assert bound_seconds(check) == check.limits.wall_seconds + least


def test_closing_settles_what_is_judged_and_what_waits() -> None:
    with open_nodes(1) as (sandbox, nodes):
        futures = [sandbox.submit(make_check("hang", task)) for task in range(9)]
        sandbox.close()
        assert all(future.done() for future in futures)
        with pytest.raises(SandboxError, match="the sandbox is closed"):
            sandbox.submit(make_check("good"))
    assert any(future.cancelled() for future in futures)
    told = {str(future.exception()) for future in futures if not future.cancelled()}
    assert told == {"the sandbox was closed"}
    assert nodes[0].closed


def test_a_check_that_nobody_waits_for_is_not_judged() -> None:
    with open_nodes(1) as (sandbox, nodes):
        first = [sandbox.submit(make_check("hang", task)) for task in range(2)]
        gone = sandbox.submit(make_check("good gone"))
        assert gone.cancel()
        while not all(future.done() for future in first):
            sandbox.expire(LATE)
        assert tell(sandbox.submit(make_check("good last"))) == "good last"
    assert ["good gone"] not in nodes[0].seen


def test_a_job_that_raises_can_run_again() -> None:
    runs: list[int] = []

    def job() -> None:
        runs.append(len(runs))
        if len(runs) == 1:
            raise KeyboardInterrupt

    runner = OneRunner(job)
    with pytest.raises(KeyboardInterrupt):
        runner.run()
    runner.run()
    assert runs == [0, 1]


def test_a_job_runs_again_for_who_asks_while_it_runs() -> None:
    runs: list[int] = []

    def job() -> None:
        runs.append(len(runs))
        if len(runs) < 5:
            runner.run()

    runner = OneRunner(job)
    runner.run()
    assert runs == [0, 1, 2, 3, 4]
    runner.run()
    assert len(runs) == 6
