"""`coderobust`: what is needed around a test run. One module a command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from pytest_coderobust.errors import CodeRobustError, UsageError

COMMANDS = (
    "check",
    "doctor",
    "fetch",
    "cache",
    "perturb",
    "finetune_data",
    "finetune",
    "finetune_grid",
    "audit",
    "g_rir",
    "edit",
    "edit_bench",
    "report",
    "merge",
    "gate",
    "trace",
    "migrate",
    "build_apis",
    "study",
    "harvest",
)
"""The modules of this package that register a command, in the order of the help. A command's
module imports what it needs when it runs, so that the others stay quick."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status is 0, 1 for a failure, 2 or 4 for a wrong request."""
    try:
        options = _parser().parse_args(arguments)
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    except UsageError as error:
        print(f"coderobust: {error}", file=sys.stderr)  # noqa: T201
        return 4
    except CodeRobustError as error:
        print(f"coderobust: {error}", file=sys.stderr)  # noqa: T201
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="coderobust",
        description="Robustness regression testing of code models; the tests themselves are "
        "run by pytest: pytest SUITE.toml --model MODEL",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in COMMANDS:
        import_module(f"pytest_coderobust.cli.{name}").register(commands)
    return parser
