"""Options of commands that open a model: rows of the one table, and the session they make."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pytest_coderobust.session.option import Option
from pytest_coderobust.session.options import OPTIONS

if TYPE_CHECKING:
    from pytest_coderobust.session.choices import Choices
    from pytest_coderobust.session.session import Session

OPENING = tuple(option.name for option in OPTIONS if option.group in ("model", "store"))
"""The rows that every command which opens a model has beside `--model`."""


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--model`, and all that says how it is opened, judged and remembered."""
    add_rows(parser, ["model"], required=True)
    add_rows(parser.add_argument_group("model, sandbox and ledger, as in pytest"), OPENING)


def add_sandbox_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--workers` and `--allow-unsafe`, for commands that open a sandbox of their own."""
    parser.add_argument("--workers", type=int, help="checks at a time (one for each processor)")
    parser.add_argument(
        "--allow-unsafe", action="store_true", help="also run where only limits can be set"
    )


class OptionHolder(Protocol):
    """A parser, or a group of it."""

    def add_argument(self, *names: str, **settings: Any) -> object: ...


def add_rows(parser: OptionHolder, names: Iterable[str], *, required: bool = False) -> None:
    """Adds rows of the table to a command."""
    for option in _find_rows(names):
        if option.flag:
            parser.add_argument(f"--{option.name}", action="store_true", help=option.help)
        else:
            parser.add_argument(
                f"--{option.name}", required=required, metavar=option.metavar, help=option.help
            )


def read_choices(options: argparse.Namespace, names: Iterable[str]) -> Choices:
    """Reads the rows that a command was given; all others have their defaults.

    Raises:
        UsageError: a value is impossible.
    """
    from pytest_coderobust.session.choices import make_choices, spell_for_command

    values = {row.field: getattr(options, row.field) for row in _find_rows(names)}
    return make_choices(values, spell_for_command)


def open_command_session(options: argparse.Namespace) -> Session:
    """The session of a command: the choices it was given, in the project of its suite.

    Args:
        options: those of `add_model_options`, and `suite`, a file or a name.

    Raises:
        UsageError, ConfigError: a value is impossible, the model is unknown, or the project's
            settings are wrong.
    """
    from pytest_coderobust.session.choices import spell_for_command
    from pytest_coderobust.session.session import open_session

    suite = Path.cwd() / options.suite
    start = suite.parent if suite.is_file() else Path.cwd()
    choices = read_choices(options, ["model", *OPENING])
    session = open_session(choices, start, label=spell_for_command)
    session.tell = _print_note
    return session


def _print_note(note: str) -> None:
    print(f"coderobust: {note}", file=sys.stderr)  # noqa: T201


def _find_rows(names: Iterable[str]) -> list[Option]:
    known = {option.name: option for option in OPTIONS if option.group != "format"}
    return [known[name] for name in names]
