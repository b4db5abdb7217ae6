"""`coderobust`: what is needed around a test run. One module a command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from pytest_coderobust.cli.command_table import CommandTable, format_groups
from pytest_coderobust.errors import CodeRobustError, UsageError

GROUPS: Mapping[str, Sequence[str]] = {
    "measure": ("init", "check", "study", "merge", "gate", "g_rir"),
    "find": ("explain", "trace", "audit"),
    "repair": ("edit", "edit_bench", "finetune", "finetune_grid", "migrate"),
    "data": ("fetch", "harvest", "perturb", "finetune_data", "build_apis"),
    "look": ("report", "history", "doctor", "cache"),
}
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
        usage="coderobust [-h] COMMAND ...",
        description="Robustness regression testing of code models. The tests are run by pytest:"
        "\n\n  pytest SUITE.toml --model MODEL",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = CommandTable(parser)
    helps = {
        group: commands.register([f"{__name__}.{name}" for name in names])
        for group, names in GROUPS.items()
    }
    parser.epilog = f"{format_groups(helps)}\n\n`coderobust COMMAND --help` says more of each."
    return parser
