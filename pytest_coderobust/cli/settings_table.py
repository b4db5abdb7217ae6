"""The table `[tool.coderobust]` in a pyproject.toml that is kept byte for byte otherwise."""

from __future__ import annotations

import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def add_settings(folder: Path, name: str, table: str) -> bool:
    """Adds the table `[tool.coderobust]` behind the last line of a project's pyproject.toml.

    Returns:
        True where the table is there already, or cannot be added; the file is left as it is.

    Raises:
        OSError: the file cannot be written.
    """
    path = folder / name
    old = path.read_bytes()
    added = _make_addition(old, table)
    if why := _refuse_addition(old, added):
        print(f"left {path.name}: {why}")  # noqa: T201
        return True
    with path.open("ab") as stream:
        stream.write(added)
    print(f"added [tool.coderobust] to {path.name}")  # noqa: T201
    return False


def _make_addition(old: bytes, table: str) -> bytes:
    """Makes the bytes that follow a file's own, with its own line ends."""
    end = b"\r\n" if b"\r\n" in old else b"\n"
    start = b"" if not old or old.endswith(b"\n") else end
    blank = end if old else b""
    return start + blank + table.encode("utf-8").replace(b"\n", end)


def _refuse_addition(old: bytes, added: bytes) -> str:
    """Says why a table cannot be added, or ""."""
    before, after = _parse(old), _parse(old + added)
    if before is None:
        return "it is not valid TOML"
    tool = before.get("tool", {})
    if isinstance(tool, dict) and "coderobust" in tool:
        return "it has [tool.coderobust] already"
    if after is None:
        return "its [tool] is a closed table; add `coderobust = {...}` to it by hand"
    return ""


def _parse(text: bytes) -> dict[str, object] | None:
    """Parses TOML; None where it is not valid."""
    try:
        return tomllib.loads(text.decode("utf-8"))
    except ValueError:
        return None
