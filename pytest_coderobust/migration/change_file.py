"""Files of API changes, `changes.toml`: one table a change, for people and for commands.

[[change]]
old = "math.sqrt"
new = "math.square_root"
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from pytest_coderobust.config.api_changes import read_changes
from pytest_coderobust.config.table import read_toml
from pytest_coderobust.errors import ConfigError, nearest
from pytest_coderobust.records import ApiChange

KEYS = ("old", "new", "kind", "parameters")
BUILT = ("reliability", "generalisation", "excluded")
"""Keys that the builder adds: which tasks a change has, and which it cannot have."""


def read_change_tables(path: Path) -> tuple[Mapping[str, object], ...]:
    """Reads the `[[change]]` tables of a file.

    Raises:
        ConfigError: it is missing or malformed, or has no such table.
    """
    document = read_toml(path)
    tables = document.get("change")
    if not isinstance(tables, list) or not tables:
        found_keys = [] if "change" in document else [repr(key) for key in document]
        instead = f", not {', '.join(found_keys[:3])}" if found_keys else ""
        raise ConfigError(f"{path}: expected [[change]] tables with 'old' and 'new'{instead}")
    found = cast("list[object]", tables)
    for number, table in enumerate(found, start=1):
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: change {number} is not a table: {table!r}")
        for key in cast("dict[str, object]", table):
            if key not in (*KEYS, *BUILT):
                known = nearest(key, (*KEYS, *BUILT))
                raise ConfigError(f"{path}: change {number}: unknown key {key!r}{known}")
    return tuple(cast("list[dict[str, object]]", found))


def read_change_file(path: Path) -> tuple[ApiChange, ...]:
    """Reads the changes of a file.

    Raises:
        ConfigError: it is missing or malformed, or a change is not possible.
    """
    tables = [
        {key: table[key] for key in KEYS if key in table} for table in read_change_tables(path)
    ]
    return read_changes(tables, lambda problem: ConfigError(f"{path}: [[change]]: {problem}"))
