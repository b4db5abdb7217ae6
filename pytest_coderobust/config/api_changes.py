"""Declared API changes as a suite file or a file of tasks writes them, checked against the library.

    { old = "math.sqrt", new = "math.square_root", tag = "api:math.sqrt" }

Functions and classes of the standard library's modules and builtins can be declared: an attribute
of a module can be shown differently to solutions and to the library itself. A method of a type
cannot, because a type looks the same to all code. A task can also say that a function of an
installed package was removed; nothing of the package is imported to check that.
"""

from __future__ import annotations

import builtins
import importlib
import keyword
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from types import ModuleType
from typing import cast

from pytest_coderobust.errors import CodeRobustError, nearest
from pytest_coderobust.records import ApiChange, ChangeKind

Fail = Callable[[str], CodeRobustError]
"""Makes the caller's kind of error, with its file and place, from a sentence."""

MOST = 512
MOST_CHARACTERS = 100
"""Characters of a name; 512 changes go to the sandbox in one message."""
ADAPTERS = ("keyword-only", "swapped")
KEYS = ("old", "new", "kind", "parameters")
LOUD = frozenset({"antigravity", "this"})
"""Modules whose import does something."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A change of a suite, and the tag of the tasks that it is for; "" for all."""

    change: ApiChange
    tag: str = ""


def read_declared(values: Sequence[object], fail: Fail) -> tuple[Declared, ...]:
    """Reads the changes of a suite file. Raises the error that `fail` makes."""
    return tuple(
        Declared(_change(table, fail), _text(table, "tag", fail))
        for table in _tables(values, (*KEYS, "tag"), fail)
    )


def read_changes(values: Sequence[object], fail: Fail) -> tuple[ApiChange, ...]:
    """Reads the changes of one task. Raises the error that `fail` makes."""
    changes = tuple(
        _removal(table, fail) if is_of_package(table.get("old")) else _change(table, fail)
        for table in _tables(values, KEYS, fail)
    )
    check_together(changes, fail)
    return changes


def check_together(changes: Sequence[ApiChange], fail: Fail) -> None:
    """Refuses changes of one task that contradict each other."""
    if len(changes) > MOST:
        raise fail(f"{len(changes)} API changes for one task; at most {MOST} are possible")
    seen: set[str] = set()
    for name in (name for change in changes for name in (change.old, change.new) if name):
        if name in seen:
            raise fail(f"the name {name!r} is in two places of one task's API changes")
        seen.add(name)


def _tables(
    values: Sequence[object], keys: Sequence[str], fail: Fail
) -> Iterable[Mapping[object, object]]:
    for value in values:
        if not isinstance(value, Mapping):
            raise fail(f'an API change is a table like {{old = "math.sqrt"}}, not {value!r}')
        table = cast("Mapping[object, object]", value)
        for key in table:
            if key not in keys:
                raise fail(f"unknown key {key!r} of an API change{nearest(str(key), keys)}")
        yield table


def is_of_package(name: object) -> bool:
    """Whether a full name begins with a module of an installed package, not of the library."""
    top, dot, _ = str(name).partition(".")
    if not dot or not top.isidentifier() or top in sys.stdlib_module_names:
        return False
    return top not in sys.builtin_module_names and find_spec(top) is not None


def _removal(table: Mapping[object, object], fail: Fail) -> ApiChange:
    """Reads that a function of an installed package is not there any more."""
    old = _text(table, "old", fail)
    for key in ("new", "kind", "parameters"):
        if table.get(key):
            raise fail(
                f"{old!r} is of an installed package, and can only be removed, without {key!r}"
            )
    _split(old, fail)
    return ApiChange(old)


def _change(table: Mapping[object, object], fail: Fail) -> ApiChange:
    old, new, kind = (_text(table, key, fail) for key in ("old", "new", "kind"))
    if kind and kind not in ADAPTERS:
        raise fail(f"{kind!r} is not a kind of API change{nearest(kind, ADAPTERS)}")
    parameters = _parameters(table, kind, fail)
    change = ApiChange(old, new, cast("ChangeKind", kind), parameters)
    if not old:
        raise fail("an API change needs the key 'old', the full name of a function")
    _check_old(old, fail)
    if new:
        _check_new(new, fail)
    if kind:
        _check_adapter(change, fail)
    return change


def _parameters(table: Mapping[object, object], kind: str, fail: Fail) -> tuple[str, ...]:
    """The names of the arguments that an adapter is about."""
    value = table.get("parameters", [])
    names = cast("list[object]", value) if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(name, str) and name.isidentifier() for name in names):
        raise fail(f"'parameters' of an API change must be a list of names, not {value!r}")
    found = tuple(map(str, names))
    if len(set(found)) < len(found):
        raise fail(f"a name stands twice in the 'parameters' of an API change: {value!r}")
    least = {"keyword-only": 1, "swapped": 2}.get(kind, 0)
    if len(found) < least or (found and not kind):
        raise fail(
            f"the kind {kind!r} of an API change needs 'parameters', the names of {least} or more "
            "arguments" if kind else "'parameters' of an API change needs a 'kind'"
        )  # fmt: skip
    return found


def _text(table: Mapping[object, object], key: str, fail: Fail) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise fail(f"{key!r} of an API change must be a string, not {value!r}")
    return value


def _check_old(name: str, fail: Fail) -> None:
    owner, last = _owner(name, fail)
    if not hasattr(owner, last):
        close = get_close_matches(last, dir(owner), n=1)
        hint = f"; did you mean {name.removesuffix(last) + close[0]!r}?" if close else ""
        raise fail(f"there is no function {name!r} in the standard library{hint}")
    _check_value(name, getattr(owner, last), fail)


def _check_new(name: str, fail: Fail) -> None:
    owner, last = _owner(name, fail)
    if hasattr(owner, last):
        _check_value(name, getattr(owner, last), fail)


def _check_adapter(change: ApiChange, fail: Fail) -> None:
    """Refuses an adapter of what is no function, or under a name that is taken."""
    if not change.new:
        raise fail(f"the kind {change.kind!r} of an API change needs the key 'new'")
    owner, last = _owner(change.new, fail)
    if hasattr(owner, last):
        raise fail(f"{change.new!r} exists, and {change.kind!r} needs a new name that does not")
    owner, last = _owner(change.old, fail)
    if isinstance(getattr(owner, last), type):
        raise fail(f"{change.old!r} is a class, and {change.kind!r} is about a function")


def _check_value(name: str, value: object, fail: Fail) -> None:
    if isinstance(value, ModuleType):
        raise fail(f"{name!r} is a module; an API change is about one function or class")
    if not callable(value):
        raise fail(f"{name!r} is not a function but a value of type {type(value).__name__!r}")
    if isinstance(value, type) and issubclass(value, BaseException):
        raise fail(f"{name!r} is an exception; an API change is about what solutions call")


def _owner(name: str, fail: Fail) -> tuple[ModuleType, str]:
    """The module that holds a name, and the name's last part."""
    *path, last = _split(name, fail)
    if not path:
        return builtins, last
    _refuse_methods(name, getattr(builtins, path[0], None), path[0], fail)
    owner = _import(path[0], name, fail)
    for end in range(1, len(path)):
        inner = ".".join(path[: end + 1])
        found = getattr(owner, path[end], None)
        _refuse_methods(name, found, inner, fail)
        owner = found if isinstance(found, ModuleType) else _import(inner, name, fail)
    return owner, last


def _split(name: str, fail: Fail) -> list[str]:
    """Splits a full name into its parts."""
    if len(name) > MOST_CHARACTERS:
        raise fail(f"{name[:40]!r}... is longer than {MOST_CHARACTERS} characters")
    parts = name.split(".")
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
        raise fail(f"{name!r} is not a full name of a function, like 'math.sqrt'")
    if parts[-1].startswith("__"):
        raise fail(f"{name!r} is part of the language, and no API change can be about it")
    return parts


def _refuse_methods(name: str, found: object, path: str, fail: Fail) -> None:
    if isinstance(found, type):
        raise fail(
            f"{name!r} is a method of the type {path!r}, which cannot be changed for solutions "
            "alone; declare a function of a module, or a builtin"
        )


def _import(path: str, name: str, fail: Fail) -> ModuleType:
    top = path.partition(".")[0]
    if top not in sys.stdlib_module_names or top in LOUD:
        close = get_close_matches(top, sys.stdlib_module_names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise fail(f"{name!r}: the standard library has no module {top!r}{hint}")
    try:
        return importlib.import_module(path)
    except ImportError:
        raise fail(f"{name!r}: the standard library has no module {path!r} here") from None
