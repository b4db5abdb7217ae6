"""Stand-ins for the new names of API changes: they count their uses, and adapt arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

WATCHED = "watched"
KEYWORD_ONLY = "keyword-only"
Note = Callable[[], None]


class Counted:
    """Stands for a new function or class, and counts its uses.

    A use is a call, an attribute of a class (`NEW.from_iterable`), an instance or subclass check, a
    class that is derived from it, or an import. An import and the use that follows it are one.
    """

    def __init__(self, name: str, target: Any, note: Note) -> None:
        self.__name__ = self.__qualname__ = name
        self._target = target
        self._note = note
        self._imported = False

    def note_import(self) -> None:
        """Counts an import, unless the one before it has not been used yet."""
        if not self._imported:
            self._note()
        self._imported = True

    def _use(self) -> None:
        if self._imported:
            self._imported = False  # the import that brought it here has counted already
        else:
            self._note()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._use()
        return self._target(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if not name.startswith("_") and isinstance(self._target, type):
            self._use()
        return value

    def __repr__(self) -> str:
        return f"<function {self.__name__}>"

    def __mro_entries__(self, _bases: Any) -> tuple[Any, ...]:
        self._use()
        return (self._target,)

    def __instancecheck__(self, value: Any) -> bool:
        self._use()
        return isinstance(value, self._target)

    def __subclasscheck__(self, kind: type) -> bool:
        self._use()
        return issubclass(kind, self._target)

    def __getitem__(self, key: Any) -> Any:
        return self._target[key]

    def __or__(self, other: Any) -> Any:
        return self._target | other

    def __ror__(self, other: Any) -> Any:
        return other | self._target


def make_adapter(
    name: str, target: Callable[..., Any], kind: str, parameters: list[str]
) -> Callable[..., Any]:
    """Makes a function that takes the arguments of another one in another way.

    Args:
        name: what errors call it.
        kind: "keyword-only": by name alone; else with the first two the other way round.
        parameters: the names of the arguments that `target` takes by position.
    """
    order = [] if kind == KEYWORD_ONLY else [parameters[1], parameters[0], *parameters[2:]]

    def adapter(*args: Any, **kwargs: Any) -> Any:
        if len(args) > len(order):
            raise TypeError(
                f"{name}() takes {len(order)} positional arguments but {len(args)} were given"
            )
        named = dict(zip(order, args))  # noqa: B905  the rest may come by name, or not at all
        for key in kwargs:
            if key in named:
                raise TypeError(f"{name}() got multiple values for argument {key!r}")
        named.update(kwargs)
        leading: list[Any] = []
        for parameter in parameters:
            if parameter not in named:
                break
            leading.append(named.pop(parameter))
        return target(*leading, **named)

    return adapter
