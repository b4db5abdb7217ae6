"""The page docs/tasks.md shows what the readers do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_coderobust.config.suite import read_suite
from pytest_coderobust.tasks.catalogue import DATA_SETS
from pytest_coderobust.tasks.load import load_tasks

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")


def test_the_own_task_that_is_shown_loads_and_passes(tmp_path: Path) -> None:
    shown = re.search(r"```toml\n(\[\[task\]\].*?)```", PAGE, re.DOTALL)
    assert shown is not None
    (tmp_path / "own.toml").write_text(shown[1])
    (task,) = load_tasks("own.toml", base=tmp_path).tasks
    space: dict[str, object] = {}
    exec(task.prompt + str(task.canonical) + task.tests.source, space)
    space["check"](space[task.entry_point])  # type: ignore[operator]
    assert task.tags == ("dates",)


def test_every_data_set_is_named() -> None:
    for name, data_set in DATA_SETS.items():
        assert f'`"{name}"`' in PAGE
        if data_set.hub is not None:
            assert data_set.hub.repository in PAGE


@pytest.mark.parametrize("name", ["humaneval", "mbpp"])
def test_the_example_suites_are_suites(name: str) -> None:
    suite = read_suite(ROOT / "example_suites" / f"{name}.toml")
    assert (suite.name, suite.tasks) == (name, name)
    assert suite.perturbations == ("C1", "C2", "C3")
