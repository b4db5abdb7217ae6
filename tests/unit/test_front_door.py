"""The front door has every name that the documentation imports, and opens nothing before it is used."""

from __future__ import annotations

import ast
import builtins
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

import pytest_coderobust

ROOT = Path(__file__).parents[2]
PACKAGE = Path(pytest_coderobust.__file__).parent
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])
BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
OURS = ("pytest_coderobust", "coderobust_strategies")


def list_blocks() -> Iterator[tuple[str, ast.Module]]:
    """The Python blocks of the documentation, each with its page."""
    for page in PAGES:
        for text in BLOCK.findall(page.read_text(encoding="utf-8")):
            yield page.name, ast.parse(text)


def list_imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Lists what a block imports of ours: the module, and the name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS:
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((a.name, "") for a in node.names if a.name.split(".")[0] in OURS)


def list_own_classes() -> set[str]:
    """The public classes of the package."""
    found = set[str]()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found |= {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    return {name for name in found if not name.startswith("_")}


def test_everything_that_the_documentation_imports_is_exported() -> None:
    found = [(page, *each) for page, tree in list_blocks() for each in list_imports(tree)]
    assert len(found) > 20
    wrong = [
        each for each in found
        if each[1] != "pytest_coderobust" or each[2] not in pytest_coderobust.__all__
    ]  # fmt: skip
    assert wrong == []


def test_no_how_to_names_a_class_that_is_not_exported() -> None:
    """Blocks that import nothing are parts of a file: what they use must be importable, too."""
    own, wrong = list_own_classes(), set[tuple[str, str]]()
    for page, tree in list_blocks():
        made = {node.name for node in ast.walk(tree) if isinstance(node, (ast.ClassDef))}
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - made
        wrong |= {(page, each) for each in used & own - set(pytest_coderobust.__all__)}
    assert wrong == set()


def test_the_checkers_see_the_names_that_are_exported() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    (checking,) = (node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in checking.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.name: node.module for node in imports for alias in node.names}
    assert sorted(seen) == pytest_coderobust.__all__
    for name, module in seen.items():
        assert getattr(pytest_coderobust, name) is getattr(import_module(str(module)), name)


def test_no_exported_name_is_hidden_by_a_module_of_its_name() -> None:
    modules = {path.stem for path in PACKAGE.iterdir()}
    assert modules & set(pytest_coderobust.__all__) == {"hunt"}
    from pytest_coderobust.hunt.finding import find_breaking_prompt

    assert pytest_coderobust.hunt is not find_breaking_prompt
    assert pytest_coderobust.hunt.__name__ == "hunt"
    assert callable(pytest_coderobust.hunt), "the former module does not hide the function"


def test_names_are_listed_and_the_version_is_the_packages() -> None:
    assert set(pytest_coderobust.__all__) < set(dir(pytest_coderobust))
    assert "__version__" in dir(pytest_coderobust)
    assert pytest_coderobust.__version__ == version("pytest-coderobust")
    with pytest.raises(AttributeError, match="has no attribute 'runn'"):
        _ = pytest_coderobust.runn
    assert not set(pytest_coderobust.__all__) & set(dir(builtins))


def test_listing_the_names_imports_no_module() -> None:
    program = (
        "import sys, pytest_coderobust; dir(pytest_coderobust)\n"
        "print(sorted(name for name in sys.modules if 'coderobust' in name), 'pytest' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "['pytest_coderobust'] False\n"


def test_every_exported_name_is_in_the_table_of_names() -> None:
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    table = page.partition("## Every name")[2]
    assert sorted(set(re.findall(r"`(\w+)`", table))) == pytest_coderobust.__all__
