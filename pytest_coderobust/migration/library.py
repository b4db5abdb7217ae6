"""The standard library as programs name it: modules, and the functions and classes in them."""

from __future__ import annotations

import builtins
import importlib
import inspect
import sys
import warnings
from functools import cache
from types import ModuleType
from typing import Literal

from pytest_coderobust.config.api_changes import LOUD

ApiKind = Literal["modules", "builtins", "types"]
NEVER = frozenset({"exit", "quit", "exec", "print", "input", "breakpoint", "help", "super"})
"""Builtins that are no API which a library could rename, or that end or steer the program."""


@cache
def find_module(path: str) -> ModuleType | None:
    """Finds a module of the standard library; None where there is none that can be imported."""
    top = path.partition(".")[0]
    if top not in sys.stdlib_module_names or top in LOUD or top == "test":
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a module that is deprecated is there
            return importlib.import_module(path)
    except Exception:  # noqa: BLE001  a module of another system raises what it likes
        return None


@cache
def list_star_names(path: str) -> tuple[str, ...]:
    """Lists the names that `from MODULE import *` binds; none for an unknown module."""
    module = find_module(path)
    if module is None:
        return ()
    listed = getattr(module, "__all__", None)
    return tuple(listed or (name for name in vars(module) if not name.startswith("_")))


@cache
def resolve_api(path: tuple[str, ...]) -> tuple[str, int] | None:
    """Resolves a dotted path to the API it is about, and the number of parts that name it.

    The longest module that can be imported, and the attribute after it: an attribute of a class is
    a use of the class. None where that is no function or class of the standard library.
    """
    if len(path) == 1:
        return (path[0], 1) if hasattr(builtins, path[0]) else None
    for end in range(1, len(path)):
        module = find_module(".".join(path[:end]))
        if module is None:
            return None
        value = getattr(module, path[end], None)
        inner = ".".join(path[: end + 1])
        if isinstance(value, ModuleType) or (value is None and find_module(inner) is not None):
            continue
        return (inner, end + 1) if value is not None else None
    return None


def look_up_api(name: str) -> object:
    """Returns the function or class of a full name."""
    owner, _, last = name.rpartition(".")
    found: object = getattr(find_module(owner) if owner else builtins, last)
    return found


@cache
def find_kind(name: str) -> ApiKind | None:
    """Finds the kind of an API; None for what no change can be about.

    Exceptions, `typing`'s names, constants and modules are never changed, nor are names of the
    language and a few builtins that end or steer a program.
    """
    value = look_up_api(name)
    owner, _, last = name.rpartition(".")
    if not callable(value) or isinstance(value, ModuleType) or last.startswith("_"):
        return None
    if isinstance(value, type) and issubclass(value, BaseException):
        return None
    if not owner:
        if last in NEVER:
            return None
        return "types" if isinstance(value, type) else "builtins"
    return None if owner.partition(".")[0] == "typing" else "modules"


@cache
def list_positional(name: str) -> tuple[str, ...]:
    """Lists the names of the arguments that a function takes by position.

    Empty for a class, for a function that takes any number of them, and for one whose signature
    Python does not know.
    """
    value = look_up_api(name)
    if isinstance(value, type) or not callable(value):
        return ()
    try:
        parameters = inspect.signature(value).parameters.values()
    except (ValueError, TypeError):
        return ()
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return ()
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(each.name for each in parameters if each.kind in by_position)
