"""Owners of tasks, draws, and new names of a migration benchmark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.migration.corpus import read_problem
from pytest_coderobust.migration.draws import order_by_draw
from pytest_coderobust.migration.naming import BUNDLED, make_nonsense, open_names, read_table
from pytest_coderobust.migration.pairs import ChangePair
from pytest_coderobust.migration.splitting import PRESETS, assign_owners, share_out
from pytest_coderobust.records import ApiChange, Task, Tests

TASK = Task("T", "", "f", Tests("assert f()", "asserts"), "def f(): pass\n")
PROBLEM = read_problem(TASK)
OWNED = st.dictionaries(
    st.sampled_from("abcdefgh"), st.sets(st.sampled_from("opqrstuvwxyz"), min_size=1), min_size=1
)


def make_pairs(owned: dict[str, set[str]]) -> list[ChangePair]:
    assert not isinstance(PROBLEM, str)
    return [
        ChangePair(ApiChange(api, "x"), replace(PROBLEM, task=replace(TASK, id=task)), "")
        for api, tasks in sorted(owned.items())
        for task in sorted(tasks)
    ]


@given(OWNED, st.integers(0, 3))
def test_a_task_has_one_owner_and_one_subset(owned: dict[str, set[str]], seed: int) -> None:
    owners = assign_owners(make_pairs(owned))
    tasks = [pair.key[1] for pairs in owners.values() for pair in pairs]
    assert sorted(tasks) == sorted(set().union(*owned.values()))
    for api, pairs in owners.items():
        for pair in pairs:
            others = [name for name, found in owned.items() if pair.key[1] in found]
            assert (len(owned[api]), api) == min((len(owned[name]), name) for name in others)
    for name, most, rest in (("study", None, None), ("capped", 4, 16)):
        shares = share_out(owners, PRESETS[name], seed)
        assert set(shares) == {api for api, pairs in owners.items() if len(pairs) >= 2}
        for api, share in shares.items():
            half = len(owners[api]) // 2
            assert len(share.reliability) == (half if most is None else min(most, half))
            left = len(owners[api]) - len(share.reliability)
            assert len(share.generalisation) == (left if rest is None else min(rest, left))
            both = [pair.key[1] for pair in (*share.reliability, *share.generalisation)]
            assert len(set(both)) == len(both)


@given(st.sets(st.text(max_size=3)), st.text(max_size=3), st.integers(0, 99))
def test_an_order_of_draws_keeps_when_an_item_comes(items: set[str], new: str, seed: int) -> None:
    before = order_by_draw(seed, "p", "n", items - {new})
    after = order_by_draw(seed, "p", "n", items | {new})
    assert [item for item in after if item != new] == before


@given(
    st.sampled_from(["math.sqrt", "len", "collections.Counter", "os.path.join"]),
    st.integers(0, 500),
)
def test_nonsense_is_a_free_name_in_the_same_module(api: str, seed: int) -> None:
    import builtins
    import importlib

    new = make_nonsense(api, seed)
    owner, _, last = new.rpartition(".")
    assert owner == api.rpartition(".")[0]
    assert not hasattr(importlib.import_module(owner) if owner else builtins, last)
    assert last.isidentifier()
    assert last[0].isupper() is api.rpartition(".")[2][0].isupper()
    assert make_nonsense(api, seed) == new


@pytest.mark.parametrize(
    ("style", "root", "count"), [("table", "math.square_root", 66), ("short", "math.mean", 12)]
)
def test_the_tables_in_the_package_are_about_names_that_exist(
    style: str, root: str, count: int
) -> None:
    names = open_names(style, 0, Path.cwd())
    assert names.find("math.sqrt") == root
    assert names.find("math.nothing") == ""
    from importlib.resources import files

    from pytest_coderobust.config.api_changes import read_changes
    from pytest_coderobust.errors import DataError

    text = (files("pytest_coderobust.migration") / BUNDLED[style]).read_text(encoding="utf-8")
    table = read_table(text, "t")
    changes = read_changes([{"old": old, "new": new} for old, new in table.items()], DataError)
    assert len(changes) == count
    assert text.splitlines()[1:] == sorted(text.splitlines()[1:])
