"""Objects whose state is plain data, taken apart and made again, for the methods of their class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from pytest_coderobust.sandbox.cage.wire import decode

ObjectState = Mapping[str, Any]
"""Values of an object's attributes by name, tagged."""
_NO_STATE = frozenset({"__dict__", "__weakref__"})


@dataclass(frozen=True, slots=True)
class HarvestOriginal:
    """A function as its package has it.

    Attributes:
        owner: the class that it is a method of; None for a function of a module.
    """

    function: Callable[..., Any]
    owner: type | None = None

    @property
    def shared(self) -> object:
        """The object that the package hands out: the class of a method, or the function."""
        return self.function if self.owner is None else self.owner

    def make_object(self, state: ObjectState) -> object:
        """Makes an object of the owner with a state, whatever its constructor says."""
        assert self.owner is not None
        made: object = object.__new__(self.owner)
        for name, value in state.items():
            object.__setattr__(made, name, decode(value))
        return made


def find_original(module: Any, name: str) -> HarvestOriginal | None:
    """Finds a function or method by its name in a module, unless something else stands there."""
    owner, _, last = name.rpartition(".")
    kind = getattr(module, owner, None) if owner else None
    if owner:
        found = vars(kind).get(last) if isinstance(kind, type) else None
        own = isinstance(found, FunctionType) and is_of(kind, module, owner)
        return HarvestOriginal(found, kind) if own and isinstance(found, FunctionType) else None
    found = getattr(module, name, None)
    if not callable(found) or isinstance(found, type) or not is_of(found, module, name):
        return None
    return HarvestOriginal(found)


def is_of(value: object, module: Any, name: str) -> bool:
    """Whether a function or class says that it is of a module, under a name."""
    own = getattr(value, "__module__", None) == module.__name__
    return own and getattr(value, "__name__", None) == name


def read_state(value: object) -> dict[str, Any] | None:
    """Reads the attributes of an object by name; None where there is more to it than those."""
    kinds = type(value).__mro__[:-1]
    if any(kind.__module__ == "builtins" for kind in kinds):
        return None
    found = dict(getattr(value, "__dict__", {}))
    for kind in kinds:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots):
            if name not in _NO_STATE and hasattr(value, name):
                found[name] = getattr(value, name)
    return found
