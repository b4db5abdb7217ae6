"""Prompts of harvested functions: what a function sees, then its signature and docstring.

A prompt holds the imports, constants, helpers and classes of the module that the function uses,
each as its author wrote it, in the order of the file. Relative imports become absolute. The
canonical solution is the function's own body. A method becomes a function behind its class, and the
class stands there without it.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pytest_coderobust.harvest.functions import HarvestFunction, find_first_line
from pytest_coderobust.harvest.members import find_gaps, reduce_class
from pytest_coderobust.harvest.modules import SourceModule, split_lines
from pytest_coderobust.harvest.names import (
    ALWAYS,
    StatementNames,
    find_star_imports,
    find_statement_names,
)

NameReader = Callable[[ast.stmt], StatementNames]


class UnfitFunction(Exception):
    """A function cannot be a task; the message is the reason."""


@dataclass(frozen=True, slots=True)
class HarvestPrompt:
    """A function cut into what a model sees and what it has to write."""

    prompt: str
    canonical: str


def compose_prompt(
    function: HarvestFunction, names: NameReader = find_statement_names, *, first: bool
) -> HarvestPrompt:
    """Composes the prompt and the canonical solution of a function.

    Args:
        names: finds the names of a statement; a cached one serves many functions of a module.
        first: the form that is tried first: with the function's decorators, and of a method's
            class the members that it needs. The other form is without decorators, with all members.

    Raises:
        UnfitFunction: the function uses a name whose origin is not seen.
    """
    module = function.module
    head, body = _cut_function(function, decorated=first)
    own = _strip(function.node, decorated=first)
    tree = [reduce_class(each, function, needed=first) for each in module.tree.body]
    used = _gather(tree, function, names(own).used, names)
    imports = [each for each in used if isinstance(each, (ast.Import, ast.ImportFrom))]
    others = [each for each in used if each not in imports]
    wanted = set(names(own).used).union(*(names(each).used for each in others))
    blocks = [_write_import(each, module, wanted) for each in imports]
    blocks = [*(each for each in blocks if "__future__" in each), *(
        each for each in blocks if "__future__" not in each)]  # fmt: skip
    parts = ["".join(blocks), *(_write_statement(each, module) for each in others), head]
    return HarvestPrompt("\n\n".join(part for part in parts if part), body)


def _strip(node: ast.FunctionDef, *, decorated: bool) -> ast.FunctionDef:
    """The function's node, without its decorators where they are not wanted."""
    if decorated:
        return node
    made = copy.copy(node)
    made.decorator_list = []
    return made


def _cut_function(function: HarvestFunction, *, decorated: bool) -> tuple[str, str]:
    """The function's text to the end of its docstring, and the text behind it."""
    node = function.node
    first = function.first_line if decorated else node.lineno
    text = read_absolute(function.module, first, node.end_lineno or 0)
    lines = split_lines(text)
    if function.owner:
        lines = [_dedent(line, node.col_offset) for line in lines]
    behind = (node.body[0].end_lineno or 0) + 1 - first
    lines[-1] = lines[-1].rstrip("\n") + "\n"
    # Imports of the body that were relative keep their lines, so that lines can be counted.
    return "".join(lines[:behind]), "".join(lines[behind:])


def _dedent(line: str, columns: int) -> str:
    return line[columns:] if not line[:columns].strip() else line


def _gather(
    body: Sequence[ast.stmt], function: HarvestFunction, used: Iterable[str], names: NameReader
) -> list[ast.stmt]:
    """The top-level statements that bind what is used, and what those use, in order."""
    tree = [each for each in body if not _is_main(each)]
    own = function.owner or function.name
    known = {name for each in tree for name in names(each).bound}
    found: set[int] = {at for at, each in enumerate(tree) if _is_future(each)}
    waiting, seen = [*used, *([function.owner] if function.owner else ())], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen or (name == own and not function.owner):
            continue
        seen.add(name)
        if function.owner and name == function.name and name not in known:
            raise UnfitFunction("its class needs it to be made")
        if name not in known and name not in ALWAYS:
            found |= _find_stars(function.module, tree, name)
            continue
        for at, each in enumerate(tree):
            if name in names(each).bound and at not in found:
                found.add(at)
                if not isinstance(each, (ast.Import, ast.ImportFrom)):
                    waiting += names(each).used
    return [tree[at] for at in sorted(found)]


def _find_stars(module: SourceModule, tree: Sequence[ast.stmt], name: str) -> set[int]:
    stars = find_star_imports(module.tree)
    if not stars:
        raise UnfitFunction(f"it uses a name whose origin is not seen: {name}")
    return {tree.index(each) for each in stars}


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def _write_import(node: ast.Import | ast.ImportFrom, module: SourceModule, wanted: set[str]) -> str:
    """Writes an import with the names that are wanted."""
    kept = [
        alias
        for alias in node.names
        if (alias.asname or alias.name.partition(".")[0]) in wanted or alias.name == "*"
    ]
    if isinstance(node, ast.Import):
        return f"{ast.unparse(ast.Import(kept))}\n"
    kept = node.names if _is_future(node) else kept
    made = ast.ImportFrom(find_source(node, module), kept, 0)
    return f"{ast.unparse(made)}\n"


def find_source(node: ast.ImportFrom, module: SourceModule) -> str:
    """The full name of the module that an import takes from."""
    if not node.level:
        return node.module or ""
    parts = module.package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _write_statement(node: ast.stmt, module: SourceModule) -> str:
    """Writes a statement as it stands in its file; a reduced class without what it lacks."""
    first = find_first_line(node)
    text = read_absolute(module, first, node.end_lineno or 0).rstrip("\n") + "\n"
    if not isinstance(node, ast.ClassDef) or not (gaps := find_gaps(node, module.tree)):
        return text
    lines = split_lines(text)
    for start, end in reversed(gaps):
        lines[start - first : end - first + 1] = []
    is_empty = not hasattr(node.body[0], "lineno")  # its `pass` stands in no file
    return "".join(lines).rstrip("\n") + ("\n    pass\n" if is_empty else "\n")


def read_absolute(module: SourceModule, first: int, last: int) -> str:
    """Reads lines of a module, from 1; relative imports in them become absolute in their line."""
    lines = split_lines(module.text)
    if not any("from" in line and "." in line for line in lines[first - 1 : last]):
        return "".join(lines[first - 1 : last])
    for node in ast.walk(module.tree):
        if not (isinstance(node, ast.ImportFrom) and node.level and first <= node.lineno <= last):
            continue
        at, end = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        made = ast.unparse(ast.ImportFrom(find_source(node, module), node.names, 0))
        tail = lines[end].encode()[node.end_col_offset :].decode()
        lines[at] = lines[at][: node.col_offset] + made + tail
        lines[at + 1 : end + 1] = [""] * (end - at)
    return "".join(lines[first - 1 : last])
