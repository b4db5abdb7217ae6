"""Shards: parts of a plan that are whole windows of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.config.shard import Shard, parse_shard
from pytest_coderobust.engine.windows import cut_windows, deal
from pytest_coderobust.errors import UsageError
from pytest_coderobust.ledger import database, merging
from pytest_coderobust.records import Cell

CELLS = (Cell(), Cell("C1", 0), Cell("W2", 1))


@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 9))
def test_every_task_is_in_one_shard_and_windows_are_those_of_the_whole(
    tasks: int, size: int, count: int
) -> None:
    names = [f"T/{number}" for number in range(tasks)]
    wanted = [(name, cell) for name in names for cell in CELLS]
    whole = set(cut_windows(wanted, names, CELLS, size).squares)
    parts = [deal(names, size, Shard(index, count)) for index in range(1, count + 1)]
    assert sorted(name for part in parts for name in part) == sorted(names)
    for part in parts:
        mine = [square for square in wanted if square[0] in part]
        assert set(cut_windows(mine, names, CELLS, size).squares) <= whole
    held = [-(-len(part) // size) for part in parts]  # windows; one may be short
    assert max(held) - min(held) <= 1


def test_windows_are_dealt_by_their_digests_and_not_in_turn() -> None:
    names = [f"T/{number}" for number in range(64)]
    assert deal(names, 1, Shard(1, 2)) not in (frozenset(names[::2]), frozenset(names[1::2]))


@given(st.integers(1, 99), st.integers(0, 99))
def test_a_part_reads_back(index: int, more: int) -> None:
    shard = Shard(index, index + more)
    assert parse_shard("--x", str(shard)) == shard


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0", "-1/3", "1/2/3", "٣/٤"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"such as 3/16"):
        parse_shard("--coderobust-shard", text)


def test_a_merge_takes_every_table() -> None:
    """A table that comes later must be told to the merge, or shards lose what it holds."""
    merged = {table.name for table in merging._TABLES}
    numbered = {"intervals", "asked", "generations", "conclusions"}
    made = set(re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", database.TABLES))
    assert merged | numbered == made - {"waves"}  # a shard is never asked in waves
