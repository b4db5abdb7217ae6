"""Structure of the house: unique class names, no circles of files, plain first lines, short modules.

The checks read the source of both packages; nothing but the last one imports them.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_LINES = 270

BANNED_FIRST = re.compile(r"(What|Which|Who|Whoever|Whatever|How|Of|Told)\b")
"""First words of a docstring that begins with a noun clause or an inverted sentence."""


CAPITALISED = re.compile(r"[A-Z].*[a-z]")
"""A public alias: a constant has no small letter, a private name begins with an underscore."""


@cache
def read_modules() -> Mapping[str, Path]:
    """The file of each module of both packages, by the module's name."""
    files: dict[str, Path] = {}
    for folder, package in (
        (ROOT, "pytest_coderobust"),
        (ROOT / "strategies", "coderobust_strategies"),
    ):
        for path in (folder / package).rglob("*.py"):
            parts = path.relative_to(folder).with_suffix("").parts
            files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    assert len(files) > 300
    return files


@cache
def parse(module: str) -> ast.Module:
    return ast.parse(read_modules()[module].read_text(encoding="utf-8"))


def list_names(tree: ast.Module) -> Iterator[str]:
    """The classes of a module, and its public aliases: capitalised names that are no constants."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name
    for node in tree.body:
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name) and CAPITALISED.match(target.id):
                yield target.id


def list_imports(module: str) -> set[str]:
    """The modules of both packages that a module imports.

    Imports inside functions and imports for annotations alone count. The packages above an
    imported module do not, though Python runs them too: each module would depend on the root.
    """
    known = read_modules()
    found: set[str] = set()
    for node in ast.walk(parse(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else node.module)
    return {each for each in found if each in known and each != module}


def find_circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The groups of nodes that reach one another, of two nodes or more."""
    reached = {node: reach(graph, node) for node in graph}
    groups = {
        tuple(sorted(other for other in reached[node] if node in reached[other])) for node in graph
    }
    return sorted(list(group) for group in groups if group)


def reach(graph: Mapping[str, set[str]], start: str) -> set[str]:
    """The nodes that can be reached from a node, in one step or more."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def test_each_class_and_public_alias_is_defined_once() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for module in read_modules():
        for name in list_names(parse(module)):
            places[name].append(module)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set[str](), "e": {"a"}}
    assert find_circles(graph) == [["b", "c"]]


def test_no_files_import_one_another_in_a_circle() -> None:
    assert find_circles({module: list_imports(module) for module in read_modules()}) == []


def test_first_line_of_each_docstring_says_what_a_thing_does_or_is() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value.value.splitlines()[0]}"
        for module, path in sorted(read_modules().items())
        for node in ast.walk(parse(module))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        and BANNED_FIRST.match(node.value.value)
    ]
    assert not wrong, f"{len(wrong)} docstrings\n" + "\n".join(wrong)


def test_no_module_is_long() -> None:
    lengths = {
        module: len(path.read_text(encoding="utf-8").splitlines())
        for module, path in read_modules().items()
    }
    assert {module: lines for module, lines in lengths.items() if lines > MOST_LINES} == {}


def test_session_and_all_below_it_load_without_pytest() -> None:
    """The contract of the layers forbids the import; this sees what is really loaded."""
    modules = [name for name in read_modules() if name.startswith("pytest_coderobust.session")]
    assert modules
    code = f"import sys, {', '.join(sorted(modules))}\nprint('pytest' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "False", ran.stderr
