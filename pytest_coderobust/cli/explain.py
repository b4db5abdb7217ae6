"""`coderobust explain`: one item's story from the ledger; no model is asked."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from pytest_coderobust.cli.command import Commands


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "explain",
        help="tell one item's story: both prompts, both answers, the failing test",
        description="Reads what a run left in the ledger, and asks no model. Without a condition "
        "in brackets the task's broken item is taken; of several runs the latest.",
    )
    parser.add_argument(
        "item", metavar="ITEM", help="a test id, as in 'suite.toml::HumanEval/3[C1-s0]', or a task"
    )
    parser.add_argument(
        "--ledger",
        type=Path,
        metavar="PATH",
        help="the ledger (default: the project's, .coderobust/ledger.sqlite below its root)",
    )
    parser.add_argument("--suite", help="only runs of the suite of this name")
    parser.add_argument(
        "--run", help="the run whose digest begins so, as `coderobust report --list` shows it"
    )
    parser.set_defaults(command=explain)


def explain(options: argparse.Namespace) -> int:
    """Prints the story of one item.

    Raises:
        UsageError: there is no such ledger, run or item.
    """
    from pytest_coderobust.cli.report import choose_runs, open_ledger
    from pytest_coderobust.reporting.terminal.story import render_story
    from pytest_coderobust.results.conclusion import read_conclusions
    from pytest_coderobust.results.item_search import find_item
    from pytest_coderobust.session.session import find_project_ledger

    ledger = open_ledger(options.ledger or find_project_ledger(Path.cwd()))
    try:
        stored = read_conclusions(ledger)
        chosen = choose_runs(stored, options.suite, options.run)  # refuses names that fit nothing
        if options.run is None:
            chosen = [each for each in stored if options.suite in (None, each.suite)]
        found = find_item(chosen, options.item, ledger.path.name)
        report = found.stored.report()
        (finding,) = report.archive.findings([found.observation])
        width = max(40, shutil.get_terminal_size((80, 24)).columns)
        text = render_story(found, finding, report, width)
    finally:
        ledger.close()
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), end="")  # noqa: T201
    return 0
