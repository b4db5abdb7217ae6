"""Options of commands that open a model: rows of the one table, and the session they make."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.session.option import Option
from pytest_coderobust.session.options import OPTIONS

if TYPE_CHECKING:
    from pytest_coderobust.session.session import Session

OPENING = tuple(option.name for option in OPTIONS if option.group in ("model", "store"))
"""The rows that every command which opens a model has beside `--model`."""


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--model`, and all that says how it is opened, judged and remembered."""
    for option in _find_rows(["model"]):
        parser.add_argument("--model", required=True, metavar=option.metavar, help=option.help)
    group = parser.add_argument_group("model, sandbox and ledger, as in pytest")
    for option in _find_rows(OPENING):
        if option.flag:
            group.add_argument(f"--{option.name}", action="store_true", help=option.help)
        else:
            group.add_argument(f"--{option.name}", metavar=option.metavar, help=option.help)


def open_command_session(options: argparse.Namespace) -> Session:
    """The session of a command: the choices it was given, in the project of its suite.

    Args:
        options: those of `add_model_options`, and `suite`, a file or a name.

    Raises:
        UsageError, ConfigError: a value is impossible, the model is unknown, or the project's
            settings are wrong.
    """
    from pytest_coderobust.session.choices import make_choices, spell_for_command
    from pytest_coderobust.session.session import open_session

    values = {row.field: getattr(options, row.field) for row in _find_rows(["model", *OPENING])}
    suite = Path.cwd() / options.suite
    start = suite.parent if suite.is_file() else Path.cwd()
    return open_session(make_choices(values, spell_for_command), start, label=spell_for_command)


def _find_rows(names: Iterable[str]) -> list[Option]:
    known = {option.name: option for option in OPTIONS if option.group != "format"}
    return [known[name] for name in names]
