"""The reference is whole: every option, key, exit status, command and public name is in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_coderobust
from pytest_coderobust.cli import GROUPS
from pytest_coderobust.session.options import OPTIONS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
READERS = {
    "text", "boolean", "integer", "number", "choice", "texts", "integers", "items", "table", "allow",
    "is_integer",
}  # fmt: skip
"""Methods of `config.table.Table` whose arguments are keys."""
REFERENCE = {
    "edits": ("edits.md",),
    "finetune_grid": ("finetuning.md",),
    "migration": ("migration-study.md",),
    "served": ("served-models.md", "cost.md"),
    "settings": ("suites.md", "models.md"),
}
"""The pages that have the keys of a module of `config`, where they are not in suites.md."""


def read(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def list_keys(path: Path) -> Iterator[str]:
    """Keys that a module of `config` reads from a table."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr not in READERS:
            continue
        for argument in node.args if node.func.attr == "allow" else node.args[:1]:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_is_in_the_reference(option: object) -> None:
    name = str(option.name).replace("_", "-")  # type: ignore[attr-defined]
    assert re.search(rf"^\| `--coderobust-{name}\b", read("options.md"), re.MULTILINE)


MODULES = sorted(path.stem for path in (ROOT / "pytest_coderobust" / "config").glob("*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_every_key_is_in_the_reference(module: str) -> None:
    keys = set(list_keys(ROOT / "pytest_coderobust" / "config" / f"{module}.py"))
    text = "".join(map(read, REFERENCE.get(module, ("suites.md",))))
    shown = re.compile(r"(?:`|\[|\.|\{ |, |^)(\w+)(?=`|\]|\.| = )", re.MULTILINE)
    assert keys - set(shown.findall(text)) == set()


def test_every_public_name_is_in_the_reference() -> None:
    listed = re.findall(r"^::: \S+\.(\w+)$", read("python-api.md"), re.MULTILINE)
    assert sorted(listed) == sorted(pytest_coderobust.__all__)


def test_every_exit_status_is_in_the_reference() -> None:
    statuses = re.findall(r"\| (\d)[^|]*\|$", read("suites.md"), re.MULTILINE)
    assert set(statuses) >= set(map(str, range(6)))


def test_every_command_is_in_the_reference() -> None:
    commands = {name.replace("_", "-") for names in GROUPS.values() for name in names}
    listed = re.findall(r"^\| `coderobust ([\w-]+)`", read("commands.md"), re.MULTILINE)
    assert sorted(listed) == sorted(commands)
