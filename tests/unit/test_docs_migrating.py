"""The page about moved names is true: what is new is there, and old paths of the docs answer."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "migrating.md").read_text(encoding="utf-8")
FORMER = {
    "pytest_coderobust.hunt.finding", "pytest_coderobust.editors.edited",
    "coderobust_strategies.hypothesis", "coderobust_strategies.recode",
    "pytest_coderobust.sandbox.pool", "pytest_coderobust.reporting.markdown",
    "pytest_coderobust.reporting.terminal", "pytest_coderobust.sandbox.judge",
}  # fmt: skip
"""Old names that are something today: paths that still answer, and rooms of that name."""


def section(title: str) -> str:
    return PAGE.partition(f"## {title}")[2].partition("\n## ")[0]


def rows(title: str) -> list[tuple[str, str]]:
    """The first two columns of a table whose cells are names in backquotes."""
    return re.findall(r"^\| `([\w.]+)`[^|]*\| `([\w.]+)`", section(title), flags=re.M)


def whole(name: str) -> str:
    return name if name.startswith("coderobust_strategies") else f"pytest_coderobust.{name}"


@pytest.mark.parametrize(("old", "new"), rows("Python: modules"))
def test_a_moved_module_is_at_its_new_place_alone(old: str, new: str) -> None:
    assert find_spec(whole(new)) is not None
    if whole(old) not in FORMER:
        parent = whole(old).rpartition(".")[0]
        assert find_spec(parent) is None or find_spec(whole(old)) is None


@pytest.mark.parametrize(
    ("module", "new"),
    re.findall(r"^\| `\w+` of `([\w.]+)` \| `(\w+)`", section("Python: classes"), flags=re.M),
)
def test_a_renamed_class_is_in_its_module(module: str, new: str) -> None:
    assert hasattr(import_module(whole(module)), new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("pytest_coderobust:Sample", "pytest_coderobust:ForeignSample"),
        ("pytest_coderobust.hunt.finding:find_breaking_prompt",
         "pytest_coderobust.session.hunting:find_breaking_prompt"),
        ("pytest_coderobust.editors.edited:edited",
         "pytest_coderobust.editors.edited_model:edited"),
        ("coderobust_strategies.hypothesis:perturbed",
         "coderobust_strategies.hypothesis_strategies:perturbed"),
        ("coderobust_strategies.recode:halved",
         "coderobust_strategies.perturbations.recode:halved"),
    ],
)  # fmt: skip
def test_what_the_documentation_named_answers_for_one_release(old: str, new: str) -> None:
    def value(path: str) -> object:
        module, _, name = path.partition(":")
        return getattr(import_module(module), name)

    assert value(old) is value(new)
    assert old.replace(":", ".").rpartition(".")[0] in PAGE


def test_the_page_has_tables() -> None:
    assert len(rows("Python: modules")) > 100
