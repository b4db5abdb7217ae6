"""The root of a project: the folder that holds its ledger and its `[tool.coderobust]`.

The same folder as pytest's root directory when pytest is given the suite, so that commands,
notebooks and pytest share one ledger. Facts from the documentation of pytest 9, "Configuration";
pytest 8 reads no `pytest.toml` and no `[tool.pytest]` without `ini_options`.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator
from pathlib import Path

from pytest_coderobust.config.table import read_toml
from pytest_coderobust.errors import ConfigError

ALWAYS = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini")
"""Files that mark a root, even when they are empty."""

SECTIONS = {"tox.ini": "pytest", "setup.cfg": "tool:pytest"}


def find_root(start: Path, working: Path | None = None) -> Path:
    """The root of the project that a folder belongs to.

    Args:
        start: the folder of a suite, or of the person who asks.
        working: the working folder, for a suite that lies in no project (default: `start`).
    """
    start = start.resolve()
    folders = (start, *start.parents)
    for folder in folders:
        if any(_is_configured(folder)):
            return folder
    for marker in ("pyproject.toml", "setup.py"):
        for folder in folders:
            if (folder / marker).is_file():
                return folder
    return _find_common(start, (working or start).resolve())


def _is_configured(folder: Path) -> Iterator[bool]:
    """Whether each file that may configure pytest does."""
    yield from ((folder / name).is_file() for name in ALWAYS)
    yield _has_table(folder / "pyproject.toml")
    for name, section in SECTIONS.items():
        yield _has_section(folder / name, section)


def _has_table(file: Path) -> bool:
    """Whether a pyproject.toml has a table for pytest; one that does not parse has none."""
    if not file.is_file():
        return False
    try:
        tool = read_toml(file).get("tool")
    except ConfigError:
        return False
    return isinstance(tool, dict) and "pytest" in tool


def _has_section(file: Path, section: str) -> bool:
    """Whether an INI file has a section; one that does not parse has none."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return False
    return parser.has_section(section)


def _find_common(start: Path, working: Path) -> Path:
    """The folder that both are below, or the first where only the file system's root is."""
    shared = Path(os.path.commonpath([start, working]))
    return start if shared == Path(shared.anchor) else shared
