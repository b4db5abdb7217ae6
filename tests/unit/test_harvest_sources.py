"""Sources of a harvest: folders that are searched, files that do not parse, lines, and sets."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.errors import UsageError
from pytest_coderobust.harvest.cases import HarvestCall
from pytest_coderobust.harvest.functions import find_functions
from pytest_coderobust.harvest.modules import (
    SourceModule,
    find_modules,
    search_folder,
    split_lines,
)
from pytest_coderobust.harvest.objects import HarvestOriginal
from pytest_coderobust.harvest.observing import observe
from pytest_coderobust.harvest.prompting import compose_prompt

SEPARATORS = "\n\f\x0b\x1c\x1d\x1e\x85\u2028\u2029 a"


def test_a_module_is_found_where_the_command_is_called(tmp_path: Path) -> None:
    (tmp_path / "mine_alone.py").write_text('"""Mine."""\n')
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "mine_below.py").write_text('"""Mine."""\n')
    before = list(sys.path)
    with search_folder(tmp_path):
        for name in ("mine_alone", "mine_below"):
            assert [each.name for each in find_modules(name).modules] == [name]
        assert sys.path[: len(before)] == before  # nothing is hidden by what lies there
    assert sys.path == before
    with pytest.raises(UsageError, match="no package 'mine_alone'"):
        find_modules("mine_alone")


def test_files_that_do_not_parse_are_named(tmp_path: Path) -> None:
    (tmp_path / "broken_alone.py").write_text("def f(:\n")
    inner = tmp_path / "half_broken"
    inner.mkdir()
    (inner / "__init__.py").write_text("")
    (inner / "bad.py").write_text("def f(:\n")
    with search_folder(tmp_path):
        with pytest.raises(UsageError, match=r"broken_alone\.py: the file is no Python"):
            find_modules("broken_alone")
        found = find_modules("half_broken")
    assert [each.name for each in found.modules] == ["half_broken"]
    assert found.unreadable == ("half_broken.bad",)


@given(st.text(SEPARATORS, max_size=20))
def test_lines_end_at_line_feeds_alone(text: str) -> None:
    lines = split_lines(text)
    assert "".join(lines) == text
    assert len(lines) == text.count("\n") + (not text.endswith("\n") and text != "")
    assert all(line.index("\n") == len(line) - 1 for line in lines[:-1])


@pytest.mark.parametrize("mark", ["\f", "\x1c", "\x85", "\u2028"])
def test_a_prompt_is_cut_where_python_counts_lines(mark: str) -> None:
    text = f'MARK = "{mark}"\n\ndef f(x):\n    """Says {mark} this."""\n    return MARK, x\n'
    if mark == "\f":  # may stand between statements, as old files have it
        text = f"{mark}\n{text}"
    module = SourceModule("m", "", Path("/m.py"), text, ast.parse(text))
    (function,), _ = find_functions([module])
    found = compose_prompt(function, first=True)
    assert found.canonical == "    return MARK, x\n"
    assert found.prompt == (
        f'MARK = "{mark}"\n\n\ndef f(x):\n    """Says {mark} this."""\n'
    )  # fmt: skip


class OpenBarrier:
    """Stands nowhere."""

    def begin(self) -> None: ...

    def end(self) -> None: ...


def test_sets_that_are_walked_through_in_another_order_did_not_change() -> None:
    call = HarvestCall(({"set": [3, 1]},), {}, None)  # Python walks through 1 first
    barrier: Any = OpenBarrier()
    same = observe(HarvestOriginal(len), call, barrier, "/", recorded=False)
    assert (same.value, same.after) == (2, None)

    def add(items: set[int]) -> None:
        items.add(2)

    grown = observe(HarvestOriginal(add), call, barrier, "/", recorded=False)
    assert grown.after is not None
    assert sorted(grown.after[0]["set"]) == [1, 2, 3]


class Held:
    """Has a set."""

    def __init__(self) -> None:
        self.items = {1, 3}

    def count(self) -> int:
        return len(self.items)


def test_a_state_with_a_set_did_not_change() -> None:
    call = HarvestCall((), {}, {"items": {"set": [3, 1]}})
    barrier: Any = OpenBarrier()
    found = observe(HarvestOriginal(Held.count, Held), call, barrier, "/", recorded=False)
    assert (found.value, found.state_after) == (2, None)
