"""Reads of the interpreter and the machine: what they return is true here and not elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

OWN: Mapping[str, frozenset[str] | None] = {
    "platform": None,
    "sysconfig": None,
    "sys": frozenset({
        "version", "version_info", "hexversion", "api_version", "implementation", "platform",
        "executable", "prefix", "base_prefix", "exec_prefix", "argv", "path", "modules", "flags",
        "byteorder", "getsizeof", "getrefcount",
    }),
    "os": frozenset({
        "name", "environ", "getenv", "getcwd", "getpid", "getppid", "uname", "cpu_count",
        "getlogin", "getuid",
    }),
}  # fmt: skip
"""By module, the names that read; None for all of them."""


def find_machine_read(source: str) -> str:
    """Finds a name within the functions of a source that reads interpreter or machine; "" for none.

    Statements outside functions are free: which of two imports is taken is no result.
    """
    tree = ast.parse(source)
    names = dict(_list_imports(tree))
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        for node in ast.walk(function):
            full = _spell(node, names)
            top, _, rest = full.partition(".")
            if rest and top in OWN and _reads(OWN[top], rest.partition(".")[0]):
                return full
    return ""


def _reads(listed: frozenset[str] | None, name: str) -> bool:
    return listed is None or name in listed


def _list_imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The names that imports bind, with what each stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                top = each.name.partition(".")[0]
                yield each.asname or top, each.name if each.asname else top
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for each in node.names:
                yield each.asname or each.name, f"{node.module}.{each.name}"


def _spell(node: ast.AST, names: Mapping[str, str]) -> str:
    """The full name that a name or an attribute of a module stands for, or ""."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute) and (left := _spell(node.value, names)):
        return f"{left}.{node.attr}"
    return ""
