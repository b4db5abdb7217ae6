"""Kinds of changes, and of the APIs that they are about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from pytest_coderobust.errors import ConfigError, nearest
from pytest_coderobust.migration.draws import order_by_draw
from pytest_coderobust.migration.imports import split_name
from pytest_coderobust.migration.library import find_kind, find_module, list_positional
from pytest_coderobust.migration.naming import NameSource
from pytest_coderobust.records import ApiChange, ChangeKind

ABOUT = ("modules", "builtins", "types")
"""Functions and classes of modules, builtin functions, builtin types."""
HOW = ("renamed", "moved", "removed", "keyword-only", "swapped")
DEFAULT = ("modules", "builtins", "renamed")
HOMES = ("copy", "functools", "itertools", "math", "operator", "random", "string", "types")
"""Modules that a moved API may move to: most programs import them, and they load at once."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds of APIs that are changed, and of their changes.

    Attributes:
        about: some of `ABOUT`.
        how: some of `HOW`; an API gets one that is possible for it, by a draw.
    """

    about: tuple[str, ...]
    how: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.about, *self.how)


def read_kinds(words: Sequence[str]) -> Kinds:
    """Reads a list of kinds; of what it says nothing about, the default holds.

    Raises:
        ConfigError: a word is no kind.
    """
    for word in words:
        if word not in (*ABOUT, *HOW):
            raise ConfigError(f"--kinds: unknown kind {word!r}{nearest(word, (*ABOUT, *HOW))}")
    about = tuple(word for word in ABOUT if word in words)
    how = tuple(word for word in HOW if word in words)
    return Kinds(
        about or tuple(word for word in ABOUT if word in DEFAULT),
        how or tuple(word for word in HOW if word in DEFAULT),
    )


def is_about(api: str, kinds: Kinds) -> bool:
    """Whether an API is one that these kinds are about."""
    return find_kind(api) in kinds.about


def make_change(api: str, kinds: Kinds, names: NameSource, seed: int) -> ApiChange | None:
    """Makes the change of an API: the first possible one in the order of a draw; None for none."""
    return next(_list_changes(api, kinds, names, seed), None)


def _list_changes(api: str, kinds: Kinds, names: NameSource, seed: int) -> Iterator[ApiChange]:
    new = names.find(api)
    parameters = list_positional(api)
    for how in order_by_draw(seed, "kind", api, kinds.how):
        if how == "removed":
            yield ApiChange(api)
        elif how == "moved":
            yield from _move(api, seed)
        elif how == "renamed" and new:
            yield ApiChange(api, new)
        elif new and len(parameters) >= (2 if how == "swapped" else 1):
            yield ApiChange(api, new, cast("ChangeKind", how), parameters)


def _move(api: str, seed: int) -> Iterator[ApiChange]:
    owner, last = split_name(api)
    for home in order_by_draw(seed, "home", api, HOMES):
        if home != owner.partition(".")[0] and not hasattr(find_module(home), last):
            yield ApiChange(api, f"{home}.{last}")
