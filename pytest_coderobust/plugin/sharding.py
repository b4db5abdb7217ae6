"""Items of one shard: those of other shards are deselected."""

from __future__ import annotations

import pytest

from pytest_coderobust.config.shard import Shard
from pytest_coderobust.engine.windows import deal
from pytest_coderobust.errors import CodeRobustError
from pytest_coderobust.plugin.collection import list_wanted_squares
from pytest_coderobust.plugin.ending import refuse_in_worker
from pytest_coderobust.plugin.stash import is_worker
from pytest_coderobust.session.session import Session


def keep_shard(config: pytest.Config, session: Session, items: list[pytest.Item]) -> None:
    """Keeps the items of this session's shard; tests that ask no suite stay as they are.

    Raises:
        pytest.UsageError: the shard has nothing to do, or a suite cannot be read.
    """
    shard = session.choices.shard
    assert shard is not None
    try:
        kept, left = _part(session, shard, items)
    except CodeRobustError as error:
        raise pytest.UsageError(str(error)) from None
    if left and not any(list(list_wanted_squares([item])) for item in kept):
        told = _explain_idle(session, shard)
        if not is_worker(config):
            raise pytest.UsageError(told)
        refuse_in_worker(config, told)
        kept, left = [], items[:]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


def _part(
    session: Session, shard: Shard, items: list[pytest.Item]
) -> tuple[list[pytest.Item], list[pytest.Item]]:
    dealt: dict[str, frozenset[str]] = {}
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        mine = True
        for reference, (task, _) in list_wanted_squares([item]):
            if reference not in dealt:
                plan = session.suite(reference).plan
                dealt[reference] = deal(plan.tasks, plan.config.window, shard)
            mine = task in dealt[reference]
        (kept if mine else left).append(item)
    return kept, left


def _explain_idle(session: Session, shard: Shard) -> str:
    """The sentence about a shard that no window of any suite was dealt to."""
    sizes = {name: suite.plan for name, suite in session.suites.items()}
    name, plan = max(sizes.items(), key=lambda each: len(each[1].tasks))
    windows = -(-len(plan.tasks) // plan.config.window)
    return (
        f"--coderobust-shard {shard} has nothing to do: {name} has {len(plan.tasks)} tasks in "
        f"{windows} windows of {plan.config.window}, and a window is never split; take "
        f"{windows} shards at most, or set a smaller [suite] window"
    )
