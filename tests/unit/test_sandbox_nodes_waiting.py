"""Checks that wait for nodes: none is lost or dealt twice, and a task stays with its node."""

from __future__ import annotations

from concurrent.futures import Future

from hypothesis import given
from hypothesis import strategies as st
from support.judge_nodes import TESTS

from pytest_coderobust.sandbox.nodes.waiting import HAND, NodeCheck, WaitingChecks


def make_waiting(task: int) -> NodeCheck:
    return NodeCheck(b"", (TESTS, f"f{task}"), 1.0, Future())


@given(
    st.lists(st.integers(1, 80), min_size=1, max_size=4),
    st.lists(st.tuples(st.sampled_from(["add", "take", "steal", "drop"]), st.integers(0, 9)), max_size=80),
)  # fmt: skip
def test_no_check_is_lost_or_dealt_twice(lanes: list[int], steps: list[tuple[str, int]]) -> None:
    waiting = WaitingChecks(lanes)
    left = list(range(len(lanes)))
    added: list[NodeCheck] = []
    dealt: list[NodeCheck] = []
    for step, number in steps:
        node = left[number % len(left)]
        if step == "add":
            added.append(make_waiting(number))
            waiting.add(added[-1])
        elif step == "drop":
            waiting.drop_node(node)
            left = [other for other in left if other != node] if len(left) > 1 else left
        else:
            hand = (waiting.take if step == "take" else waiting.steal)(node, 1 + number)
            assert len(hand) <= HAND
            dealt += hand
        assert len(waiting) == len(added) - len(dealt)
    dealt += waiting.clear()
    assert sorted(map(id, dealt)) == sorted(map(id, added))
    assert len(waiting) == 0


@given(
    st.lists(st.integers(0, 20), max_size=200), st.lists(st.integers(1, 8), min_size=2, max_size=4)
)
def test_a_task_stays_with_its_node(tasks: list[int], lanes: list[int]) -> None:
    waiting = WaitingChecks(lanes)
    for task in tasks:
        waiting.add(make_waiting(task))
    homes: dict[str, set[int]] = {}
    for node in range(len(lanes)):
        while hand := waiting.take(node, 1):
            for check in hand:
                homes.setdefault(check.about[1], set()).add(node)
    assert all(len(nodes) == 1 for nodes in homes.values())
    assert len(homes) == len(set(tasks))


def test_tasks_are_shared_out_by_lanes() -> None:
    waiting = WaitingChecks([1, 3])
    for task in range(40):
        waiting.add(make_waiting(task))
    assert sum(len(waiting.take(0, 1)) for _ in range(40)) == 10


def test_hands_fall_with_the_queue() -> None:
    waiting = WaitingChecks([2])
    for _ in range(100):
        waiting.add(make_waiting(0))
    hands: list[int] = []
    while hand := waiting.take(0, 1):
        hands.append(len(hand))
    assert hands == [16, 16, 16, 16, 12, 8, 6, 4, 2, 2, 1, 1]


def test_an_idle_node_takes_from_the_end_of_the_longest_queue() -> None:
    waiting = WaitingChecks([1, 1])
    checks = [make_waiting(task) for task in (0, 1, 0, 0)]
    for check in checks:
        waiting.add(check)
    assert waiting.take(1, 1) == [checks[1]]
    assert waiting.steal(1, 1) == [checks[3], checks[2]]
