"""The table of commands as `coderobust --help` shows it: in groups, one line a command."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from pytest_coderobust.cli.command import Commands

INDENT = 17
"""Columns before the help of a command."""


class CommandTable:
    """Parsers of commands, with the help of each, in groups.

    Args:
        parser: the parser that the commands belong to; its epilog becomes the table.
    """

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parsers = parser.add_subparsers(
            required=True, metavar="COMMAND", help=argparse.SUPPRESS, prog=parser.prog
        )
        self._helps: dict[str, str] = {}

    def add_parser(self, name: str, **settings: Any) -> argparse.ArgumentParser:
        """Adds a command as argparse does, and notes its help."""
        self._helps[name] = settings.get("help", "")
        return self._parsers.add_parser(name, **settings)

    def register(self, modules: Sequence[str]) -> dict[str, str]:
        """Lets modules register their commands; returns the help of each."""
        self._helps = {}
        for module in modules:
            # Modules see the part of argparse's object that they use.
            import_module(module).register(cast("Commands", self))
        return self._helps


def format_groups(groups: Mapping[str, Mapping[str, str]]) -> str:
    """Formats the help of commands, group by group, as wide as the terminal."""
    width = min(max(shutil.get_terminal_size().columns, 60), 100) - 2
    lines: list[str] = []
    for group, helps in groups.items():
        lines += ["", f"{group}:"] if lines else [f"{group}:"]
        for name, text in helps.items():
            first = f"  {name}".ljust(INDENT)
            if len(first) > INDENT:
                lines.append(first)
                first = " " * INDENT
            lines += textwrap.wrap(
                text, width, initial_indent=first, subsequent_indent=" " * INDENT
            )
    return "\n".join(lines)
