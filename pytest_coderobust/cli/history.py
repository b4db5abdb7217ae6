"""`coderobust history`: a suite over releases, from one ledger or several."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands
from pytest_coderobust.cli.report import open_ledger, share
from pytest_coderobust.errors import UsageError, nearest

if TYPE_CHECKING:
    from pytest_coderobust.results.history import LabelledRun, SuiteHistory


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "history",
        help="RD and pass@k of a suite over releases",
        description="Prints each suite's runs one after the other: those of the first ledger in "
        "the order in which sessions concluded them, then those of the next. With --run only the "
        "runs that are named, in that order.",
    )
    parser.add_argument(
        "ledgers",
        nargs="*",
        metavar="LEDGER",
        help="a ledger, or NAME=LEDGER to call its runs so (default: the project's)",
    )
    parser.add_argument("--suite", help="only the suite of this name")
    parser.add_argument(
        "--run",
        action="append",
        metavar="RUN",
        help="the run whose digest begins so, as `coderobust report --list` shows it; repeat it",
    )
    parser.add_argument(
        "--margin",
        type=share,
        default=0.05,
        help="the loss of pass@k that still counts as not worse (default 0.05)",
    )
    parser.add_argument("--html", type=Path, metavar="PATH", help="draw it on one page")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write every number here")
    parser.set_defaults(command=history)


def history(options: argparse.Namespace) -> int:
    """Prints the table, and writes the files that were asked for."""
    from pytest_coderobust.reporting.history.terminal import render_history
    from pytest_coderobust.results.history import trace_histories

    with ExitStack() as opened:
        runs = choose_history_runs(read_runs(options.ledgers, opened), options.suite, options.run)
        found = trace_histories(runs, options.margin)
    write_history(found, options)
    width = shutil.get_terminal_size().columns
    encoding = sys.stdout.encoding or "utf-8"
    print(render_history(found, width, sys.stdout.isatty(), encoding), end="")  # noqa: T201
    return 0


def write_history(found: Sequence[SuiteHistory], options: argparse.Namespace) -> None:
    """Writes page and document.

    Raises:
        UsageError: a file cannot be written.
    """
    from pytest_coderobust.reporting.history.document import render_document
    from pytest_coderobust.reporting.history.page import render_history_page

    for name, render in (("html", render_history_page), ("json", render_document)):
        path: Path | None = getattr(options, name)
        if path is None:
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(render(found), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"--{name} {path} cannot be written: {error}") from None


def read_runs(names: Sequence[str], opened: ExitStack) -> list[LabelledRun]:
    """Reads what sessions concluded in each ledger, in the order given.

    Raises:
        UsageError: a file is no ledger.
        LedgerError: a conclusion cannot be read.
    """
    from pytest_coderobust.results.conclusion import read_conclusions
    from pytest_coderobust.results.history import LabelledRun
    from pytest_coderobust.session.session import find_project_ledger

    places = [split_label(name) for name in names] or [("", find_project_ledger(Path.cwd()))]
    return [
        LabelledRun(label, stored)
        for label, path in places
        for stored in read_conclusions(opened.enter_context(closing(open_ledger(path))))
    ]


def split_label(name: str) -> tuple[str, Path]:
    """Splits NAME=LEDGER; a file whose own name has the sign is taken as it is."""
    label, sign, path = name.partition("=")
    if not sign or Path(name).is_file():
        return "", Path(name)
    return label, Path(path)


def choose_history_runs(
    runs: list[LabelledRun], suite: str | None, digests: Sequence[str] | None
) -> list[LabelledRun]:
    """Chooses the runs: all of a suite, or those that were named, in the order of the names.

    Raises:
        UsageError: there is none, or a name fits several.
    """
    if not runs:
        raise UsageError("no session has concluded in these ledgers; run pytest with them first")
    names = {each.stored.suite for each in runs}
    if suite is not None and suite not in names:
        raise UsageError(f"--suite {suite!r} is in none of these ledgers{nearest(suite, names)}")
    fitting = [each for each in runs if suite in (None, each.stored.suite)]
    if not digests:
        return fitting
    chosen: list[LabelledRun] = []
    for digest in digests:
        found = {
            each.stored.digest: each for each in fitting if each.stored.digest.startswith(digest)
        }
        if len(found) != 1:
            many = "several runs" if found else "no run"
            raise UsageError(
                f"--run {digest!r} fits {many} of these ledgers; `coderobust report LEDGER --list` "
                "shows them"
            )
        chosen += found.values()
    return chosen
