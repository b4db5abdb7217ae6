"""New names for APIs: from a table, with a prefix, or of syllables that mean nothing.

They differ in how well a model can guess them: a table has synonyms, a prefix shows the old name,
and nonsense cannot be guessed. The table of short names is for the bundled model: words of one to
three of its tokens, for the few APIs whose tasks in the quickstart suite it solves.
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal, TypeAlias

from pytest_coderobust.config.api_changes import read_changes
from pytest_coderobust.errors import ConfigError, DataError
from pytest_coderobust.migration.draws import draw
from pytest_coderobust.migration.imports import split_name
from pytest_coderobust.migration.library import find_module
from pytest_coderobust.records import digest

NameStyle = Literal["table", "short", "prefix", "nonsense"]
STYLES: tuple[NameStyle, ...] = ("table", "short", "prefix", "nonsense")
BUNDLED = {"table": "api_names.tsv", "short": "short_names.tsv"}
NO_NAME = "the table has no new name for it"
_CONSONANTS = "bdfgklmnprstvz"
_VOWELS = "aeiou"
Naming: TypeAlias = Callable[[str], str]
"""Returns the new full name of an API, "" where there is none."""


@dataclass(frozen=True, slots=True)
class NameSource:
    """Where new names come from.

    Attributes:
        label: one of `STYLES`, or the name of a table's file.
        digest: of the table, "" without one.
        find: the naming itself.
    """

    label: str
    digest: str
    find: Naming


def open_names(label: str, seed: int, base: Path) -> NameSource:
    """Opens a source of new names.

    Args:
        label: a style, or a file of old and new names with a tab between them.

    Raises:
        ConfigError: it is neither.
        DataError: the file cannot be read, or is not such a table.
    """
    if label == "prefix":
        return NameSource(label, "", lambda api: "my_" + api.replace(".", "_"))
    if label == "nonsense":
        return NameSource(label, "", lambda api: make_nonsense(api, seed))
    if label in BUNDLED:
        where = BUNDLED[label]
        text = (files("pytest_coderobust.migration") / where).read_text(encoding="utf-8")
    elif label.endswith(".tsv"):
        text, where = _read(base / label), label
        _check_table(read_table(text, where), where)
    else:
        raise ConfigError(
            f"--names {label!r} must be {', '.join(STYLES)}, or a file that ends in .tsv"
        )
    table = read_table(text, where)
    return NameSource(label, digest(table)[:16], lambda api: table.get(api, ""))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: the file is not UTF-8 text") from None


def _check_table(table: Mapping[str, str], where: str) -> None:
    """Refuses a table of names that no change can be about. Raises DataError."""
    for old, new in table.items():
        read_changes([{"old": old, "new": new}], lambda problem: DataError(f"{where}: {problem}"))


def read_table(text: str, where: str) -> dict[str, str]:
    """Reads lines of an old and a new full name with a tab between them; `old new` is a heading.

    Raises:
        DataError: a line has another form, or a name comes twice.
    """
    table: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.strip() == "old\tnew":
            continue
        old, *rest = line.rstrip("\r").split("\t")
        if len(rest) != 1 or not rest[0].strip():
            raise DataError(f"{where}, line {number}: expected an old and a new name, not {line!r}")
        if old in table or rest[0] in table.values():
            raise DataError(f"{where}, line {number}: a name of {line!r} has come before")
        table[old.strip()] = rest[0].strip()
    return table


def make_nonsense(api: str, seed: int) -> str:
    """Makes a name of syllables in the API's own module, capitalised where the old one is."""
    owner, last = split_name(api)
    digits = draw(seed, "name", api)
    numbers = [int(digits[at : at + 4], 16) for at in range(0, len(digits), 4)]
    pairs = [
        _CONSONANTS[number % len(_CONSONANTS)] + _VOWELS[number // len(_CONSONANTS) % len(_VOWELS)]
        for number in numbers
    ]
    # Two syllables, and one more as long as something has that name.
    for count in range(2, len(pairs) + 1):
        name = "".join(pairs[:count])
        name = name.capitalize() if last[0].isupper() else name
        if is_free(owner, name):
            return f"{owner}.{name}" if owner else name
    raise AssertionError("sixteen syllables are no name of the library")


def is_free(owner: str, name: str) -> bool:
    """Whether a module ("" for the builtins) has nothing under a name, and the language neither."""
    module = find_module(owner) if owner else builtins
    taken = hasattr(module, name) or hasattr(builtins, name)
    return not taken and not keyword.iskeyword(name) and not keyword.issoftkeyword(name)


def explain_names(apis: Iterable[str], names: NameSource) -> Mapping[str, str]:
    """Explains which of the APIs get no new name, by API."""
    found: dict[str, str] = {}
    taken: dict[str, str] = {}
    for api in sorted(apis):
        new = names.find(api)
        if not new:
            found[api] = NO_NAME
        elif not is_free(*split_name(new)):
            found[api] = f"its new name {new!r} exists already"
        elif new in taken:
            found[api] = f"its new name {new!r} is that of {taken[new]} too"
        taken.setdefault(new, api)
    return found
