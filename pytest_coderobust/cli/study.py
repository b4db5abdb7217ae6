"""`coderobust study`: arms side by side on a benchmark of API migration."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands
from pytest_coderobust.cli.options import add_model_options, open_command_session

if TYPE_CHECKING:
    from pytest_coderobust.config.suite import SuiteConfig
    from pytest_coderobust.migration.study.result import StudyResult

SUITE_FILE = "suite.toml"


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "study",
        help="compare what makes a model follow API changes",
        description="Measures arms side by side on a benchmark of `coderobust build-apis`. Exit "
        "status: 0 every gate holds, 1 one does not, or the harness failed.",
    )
    parser.add_argument(
        "suite", type=Path, metavar="DIR", help="the benchmark's folder, or its suite file"
    )
    parser.add_argument(
        "--arms",
        metavar="A,B,...",
        help="none, note, example, codemod, an editor as in pytest --edit, note+EDITOR, "
        "placebo[:EDITOR], wrong-change[:EDITOR] (default: those of the suite's [migration] table)",
    )
    parser.add_argument(
        "--regime", metavar="REGIME", help="instant or successive (default: the suite's)"
    )
    parser.add_argument(
        "--changes", type=int, metavar="N", help="the first N changes alone (default: the suite's)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result here")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with pictures here")
    add_model_options(parser)
    parser.set_defaults(command=study)


def study(options: argparse.Namespace) -> int:
    """Measures the study, prints it, and decides its gates."""
    from pytest_coderobust.migration.study.result import study_json
    from pytest_coderobust.reporting.study.page import render_study_page
    from pytest_coderobust.session.studies import measure_study

    if options.suite.is_dir():
        options.suite = options.suite / SUITE_FILE
    config = read_study_suite(options)
    with open_command_session(options) as session:
        where = "--arms" if options.arms else f"{config.path}: [migration] arms"
        suite = session.suite(session.refer(config.path), config)
        found = measure_study(suite, where, tell)
    sys.stdout.write(show_study(found))
    if options.json is not None:
        write_report(options.json, f"{json.dumps(study_json(found), indent=1)}\n")
    if options.html is not None:
        write_report(options.html, render_study_page(found))
    return int(any(gate.outcome != "holds" for gate in found.gates))


def write_report(path: Path, text: str) -> None:
    """Writes a report.

    Raises:
        DataError: it cannot be written.
    """
    from pytest_coderobust.errors import DataError
    from pytest_coderobust.files import replace_file

    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from None


def tell(stage: str) -> None:
    """Tells on the error stream what is measured now."""
    print(f"coderobust study: {stage}", file=sys.stderr)  # noqa: T201


def show_study(found: StudyResult) -> str:
    """Renders the study for the stream that it goes to."""
    from shutil import get_terminal_size

    from pytest_coderobust.reporting.study.terminal import render_study

    return render_study(
        found,
        width=get_terminal_size().columns,
        colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ,
        encoding=sys.stdout.encoding,
    )


def read_study_suite(options: argparse.Namespace) -> SuiteConfig:
    """Reads the suite with the arms, regime and changes of the command line, and no `[edit]`.

    Raises:
        ConfigError, UsageError: the file or a choice is wrong.
    """
    from pytest_coderobust.config.migration import with_regime
    from pytest_coderobust.config.suite import read_suite
    from pytest_coderobust.engine.study.arms import split_arms
    from pytest_coderobust.errors import UsageError

    config = read_suite(options.suite)
    migration = config.migration
    if options.arms is not None:
        migration = replace(migration, arms=split_arms(options.arms))
        if not migration.arms:
            raise UsageError("--arms: must name at least one arm")
    if options.regime is not None:
        migration = with_regime(migration, options.regime, "--regime")
    if options.changes is not None:
        if options.changes < 1:
            raise UsageError(f"--changes {options.changes}: must be at least 1")
        migration = replace(migration, changes=options.changes)
    return replace(config, migration=migration, edit=replace(config.edit, editors=()))
