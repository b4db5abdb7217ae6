"""`coderobust gate`: a suite's gates, decided on what a ledger holds."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands
from pytest_coderobust.cli.report import add_formats, open_ledger, write_all
from pytest_coderobust.errors import UsageError

if TYPE_CHECKING:
    from pytest_coderobust.engine.plan import Plan
    from pytest_coderobust.ledger import Ledger
    from pytest_coderobust.results.conclusion import Stored, SuiteReport


_SETTINGS = {"conditions": "cells", "sampling": "sampling", "k": "ks"}
"""Settings that a run must share with the suite, by their names in a stored run."""


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "gate",
        help="decide a suite's gates on what a ledger holds",
        description="Nothing is asked of a model. Exit status: 0 where the gates hold, 1 where one "
        "fails, or could not be judged because a part of the run is missing; 4 a wrong request.",
    )
    parser.add_argument("ledger", type=Path, help="the ledger, as `coderobust merge` writes it")
    parser.add_argument("--suite", type=Path, required=True, help="the suite's TOML file")
    parser.add_argument(
        "--baseline", type=Path, metavar="PATH", help="compare with this file; worse fails"
    )
    parser.add_argument(
        "--update-baseline", action="store_true", help="write the --baseline file from this run"
    )
    add_formats(parser)
    parser.set_defaults(command=gate, bug_reports=None)


def gate(options: argparse.Namespace) -> int:
    """Decides, prints the report or writes the files that were asked for."""
    from pytest_coderobust.gates import exit_failed

    if options.clashes:
        raise UsageError(f"the report format {options.clashes[0]!r} of a package is no option here")
    if not options.suite.is_file():
        raise UsageError(f"--suite {options.suite} is no file; it is a suite's TOML file")
    ledger = open_ledger(options.ledger)
    try:
        report = _decide(options, ledger)
        write_all([report], options)
    finally:
        ledger.close()
    return int(exit_failed(report.gates))


def _decide(options: argparse.Namespace, ledger: Ledger) -> SuiteReport:
    """Decides the gates of the suite's file, and stores the conclusion.

    Raises:
        CodeRobustError: the suite is wrong, or the ledger has no run of it.
    """
    from pytest_coderobust.gates import decide
    from pytest_coderobust.results.conclusion import conclude
    from pytest_coderobust.session.baselines import add_baseline, check_baseline, update
    from pytest_coderobust.session.choices import Choices
    from pytest_coderobust.session.session import open_session

    choices = Choices(
        ledger=options.ledger,
        baseline=options.baseline,
        update_baseline=options.update_baseline,
    )
    check_baseline(choices)
    with open_session(choices, options.suite.parent) as session:
        suite = session.suite(session.refer(options.suite))
        plan, gates = suite.plan, suite.gates
        stored = _choose(ledger, plan, options.ledger)
    found = stored.report()
    result = replace(found.result, gates=decide(gates, found.summary, found.run))
    if options.update_baseline:
        print(update(result, options.baseline, set()))  # noqa: T201
    elif options.baseline is not None:
        result = add_baseline(result, options.baseline, plan.config.baseline)
    return conclude(ledger, stored.digest, result, found.origin)


def _choose(ledger: Ledger, plan: Plan, path: Path) -> Stored:
    """Chooses the last run of a suite.

    Raises:
        UsageError: there is none, or it is of other tasks or settings.
    """
    from pytest_coderobust.engine.keys import make_comparison_basis
    from pytest_coderobust.records.codec import encode
    from pytest_coderobust.results.conclusion import read_conclusions

    config = plan.config
    runs = [found for found in read_conclusions(ledger) if found.suite == config.name]
    if not runs:
        raise UsageError(f"{path} has no run of {config.name}, the suite of {config.path}")
    wanted = {
        **make_comparison_basis(plan.digest, config),
        "conditions": encode(plan.cells),
        "sampling": encode(config.sampling),
        "k": encode(config.ks),
    }
    told: list[str] = []  # of the latest run
    for found in reversed(runs):
        ran = found.body["run"]
        measured = {**ran["basis"], **{name: ran[key] for name, key in _SETTINGS.items()}}
        differs = [name for name, value in wanted.items() if measured.get(name) != value]
        if not differs:
            return found
        told = told or differs
    raise UsageError(
        f"{path}: the run of {config.name} is not of {config.path} as it stands: "
        f"{', '.join(told)} differ"
    )
