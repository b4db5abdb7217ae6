"""`coderobust report`: write any report again from a ledger."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands
from pytest_coderobust.errors import UsageError, nearest
from pytest_coderobust.reporting.formats import list_options, write_format

if TYPE_CHECKING:
    from pytest_coderobust.ledger import Ledger
    from pytest_coderobust.results.conclusion import Stored, SuiteReport


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "report",
        help="write any report again from a ledger",
        description="Without a format the terminal's report is printed. Of each suite the run "
        "that was concluded last is reported; --list shows what there is.",
    )
    parser.add_argument(
        "ledger",
        nargs="?",
        type=Path,
        help="the ledger (default: the project's, .coderobust/ledger.sqlite below its root)",
    )
    parser.add_argument("--list", action="store_true", help="list the runs of the ledger")
    parser.add_argument("--suite", help="only the suite of this name")
    parser.add_argument("--run", help="the run whose digest begins so, as --list shows it")
    parser.add_argument(
        "--against",
        type=Path,
        metavar="LEDGER",
        help="compare with each suite's last run in this ledger, or with --against-run",
    )
    parser.add_argument("--against-run", metavar="RUN", help="the earlier run, as --list shows it")
    parser.add_argument(
        "--margin",
        type=share,
        default=0.05,
        help="the loss of pass@k that still counts as not worse (default 0.05)",
    )
    add_formats(parser)
    parser.add_argument(
        "--bug-reports", type=Path, metavar="DIR", help="write one report for each breaking prompt"
    )
    parser.set_defaults(command=report)


def add_formats(parser: argparse.ArgumentParser) -> None:
    """Adds an option for each report format; those whose name is taken are refused when it runs."""
    clashes: list[str] = []
    for name, text in list_options("command").items():
        try:
            parser.add_argument(
                f"--{name}", dest=name_dest(name), type=Path, metavar="PATH", help=text
            )
        except argparse.ArgumentError:
            clashes.append(name)
            parser.set_defaults(**{name_dest(name): None})
    parser.set_defaults(clashes=clashes)


def name_dest(name: str) -> str:
    """Names the place where argparse keeps a format's path, apart from every other option."""
    return f"format:{name}"


def report(options: argparse.Namespace) -> int:
    """Prints or writes what was asked for; gates are shown, and set no exit status here."""
    from pytest_coderobust.results.conclusion import read_conclusions
    from pytest_coderobust.session.session import find_project_ledger

    if options.clashes:
        raise UsageError(
            f"the report format {options.clashes[0]!r} of an installed package has the name of an "
            "option of `coderobust report`; uninstall the package, or rename its format"
        )
    options.failures = _find_failures(options.ledger)
    options.ledger = options.ledger or find_project_ledger(Path.cwd())
    ledger = open_ledger(options.ledger)
    try:
        stored = read_conclusions(ledger)
        if options.list:
            print_list(stored)
            return 0
        reports = [found.report() for found in choose_runs(stored, options.suite, options.run)]
        if options.against is not None or options.against_run is not None:
            reports = compare_reports(reports, options)
        write_all(reports, options)
        return 0
    finally:
        ledger.close()


def compare_reports(reports: list[SuiteReport], options: argparse.Namespace) -> list[SuiteReport]:
    """Compares each report with an earlier run of its suite.

    Raises:
        UsageError: there is no such run, or the two cannot be compared.
    """
    from pytest_coderobust.results.against import join_comparison
    from pytest_coderobust.results.conclusion import read_conclusions

    ledger = open_ledger(options.against or options.ledger)
    try:
        stored = read_conclusions(ledger)
        return [
            join_comparison(
                found,
                choose_runs(stored, found.run.suite, options.against_run)[0].report(),
                options.margin,
            )
            for found in reports
        ]
    finally:
        ledger.close()


def share(text: str) -> float:
    """Reads a number between 0 and 1, for argparse."""
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} does not lie between 0 and 1")
    return value


def open_ledger(path: Path) -> Ledger:
    """Opens an existing ledger.

    Raises:
        UsageError: there is no such file.
    """
    from pytest_coderobust.ledger import Ledger
    from pytest_coderobust.session.resources import LEDGER

    if not path.is_file():
        raise UsageError(f"{path} is not a valid ledger; a run writes {LEDGER} below pytest's root")
    return Ledger(path)


def choose_runs(stored: list[Stored], suite: str | None, run: str | None) -> list[Stored]:
    """Chooses the runs to report: the last of each suite, or the one that was named.

    Raises:
        UsageError: there is none, or the name fits several.
    """
    if not stored:
        raise UsageError("no session has concluded in this ledger; run pytest with it first")
    names = {found.suite for found in stored}
    if suite is not None and suite not in names:
        raise UsageError(f"--suite {suite!r} is not in this ledger{nearest(suite, names)}")
    fitting = [found for found in stored if suite in (None, found.suite)]
    if run is None:
        return list({found.suite: found for found in fitting}.values())
    fitting = [found for found in fitting if found.digest.startswith(run)]
    if len({found.digest for found in fitting}) != 1:
        many = "several runs" if fitting else "no run"
        raise UsageError(f"--run {run!r} fits {many} of this ledger; --list shows them")
    return fitting[-1:]


def print_list(stored: list[Stored]) -> None:
    """Prints one line a run, the oldest first."""
    from pytest_coderobust.reporting.hostile import escape

    for found in stored:
        part = "" if found.whole else "  (partial)"
        print(  # noqa: T201
            f"{found.digest[:12]}  {escape(found.suite, 40)}  {escape(found.model, 60)}{part}"
        )


def write_all(reports: list[SuiteReport], options: argparse.Namespace) -> None:
    """Writes every file that was asked for, or prints the terminal's report where none was.

    Raises:
        UsageError: a file cannot be written.
    """
    paths = {name: getattr(options, name_dest(name)) for name in list_options("command")}
    wanted = {name: path for name, path in paths.items() if path is not None}
    for name, path in wanted.items():
        try:
            write_format(name, reports, path)
        except OSError as error:
            raise UsageError(f"--{name} {path} cannot be written: {error}") from None
    if options.bug_reports is not None:
        from pytest_coderobust.reporting.bugs.folder import write_bugs
        from pytest_coderobust.results.known_failures import read_failures

        try:
            kept = read_failures(options.failures, reports)
            write_bugs(reports, kept, options.bug_reports)
        except OSError as error:
            raise UsageError(f"--bug-reports cannot be written: {error}") from None
    elif not wanted:
        from pytest_coderobust.reporting.terminal.report import render

        width = shutil.get_terminal_size().columns
        encoding = sys.stdout.encoding or "utf-8"
        results = [found.result for found in reports]
        print(render(results, width, sys.stdout.isatty(), encoding), end="")  # noqa: T201


def _find_failures(ledger: Path | None) -> Path:
    """The folder of the hunts' failures: the project's, or the one beside a ledger of its own."""
    from pytest_coderobust.hunting.store import FOLDER
    from pytest_coderobust.session.root import find_root

    return ledger.parent / FOLDER.name if ledger else find_root(Path.cwd()) / FOLDER
