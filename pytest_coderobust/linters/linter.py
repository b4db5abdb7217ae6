"""A linter as a program: its command, its configuration, and what its output means."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Protocol

from pytest_coderobust.records.lint import LintedSource


class Linter(Protocol):
    """A linter that is run on batches of files.

    Attributes:
        name: the word that chooses it.
        options: its fixed configuration, part of what its results are kept under.
    """

    @property
    def name(self) -> str: ...

    @property
    def options(self) -> Sequence[str]: ...

    def find_version(self) -> str:
        """The version of the program with all that its messages depend on.

        Raises:
            UsageError: it is not installed.
        """
        ...

    def quiet(self, source: str) -> str:
        """The source without comments that would silence the linter; lines stay where they are."""
        ...

    def make_command(self, folder: str) -> list[str]:
        """The command that judges every file of a folder."""
        ...

    def read(self, output: str) -> Mapping[str, LintedSource]:
        """Reads what was found by file name; a file without messages may be absent.

        Raises:
            ValueError, KeyError, TypeError: this is not the program's output.
        """
        ...


def find_distribution(name: str) -> str | None:
    """The version of an installed package, without importing it; None where there is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def name_python() -> str:
    """The Python whose grammar decides about syntax errors."""
    return f"python {sys.version_info.major}.{sys.version_info.minor}"


def find_base_name(path: str) -> str:
    """The name of a file as results have it: without its folder and its end."""
    return Path(path).name.removesuffix(".py")
