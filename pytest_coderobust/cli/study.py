"""`coderobust study`: arms side by side on a benchmark of API migration."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands
from pytest_coderobust.cli.options import add_model_options, open_command_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_coderobust.config.suite import SuiteConfig
    from pytest_coderobust.migration.study.result import StudyResult
    from pytest_coderobust.migration.study.subsets import StudyRate

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
    add_model_options(parser)
    parser.set_defaults(command=study)


def study(options: argparse.Namespace) -> int:
    """Measures the study, prints it, and decides its gates."""
    from pytest_coderobust.files import replace_file
    from pytest_coderobust.migration.study.result import study_json
    from pytest_coderobust.session.studies import measure_study

    if options.suite.is_dir():
        options.suite = options.suite / SUITE_FILE
    config = read_study_suite(options)
    with open_command_session(options) as session:
        where = "--arms" if options.arms else f"{config.path}: [migration] arms"
        suite = session.suite(session.refer(config.path), config)
        found = measure_study(suite, where, tell)
    if options.json is not None:
        text = json.dumps(study_json(found), indent=1, sort_keys=False)
        replace_file(options.json, f"{text}\n".encode())
    for line in list_lines(found):
        print(line)  # noqa: T201
    return int(any(gate.outcome != "holds" for gate in found.gates))


def tell(stage: str) -> None:
    """Tells on the error stream what is measured now."""
    print(f"coderobust study: {stage}", file=sys.stderr)  # noqa: T201


def list_lines(found: StudyResult) -> Iterator[str]:
    """Lists the result as plain lines: one an arm and subset, the edits refused, the gates."""
    from pytest_coderobust.reporting.hostile import escape

    yield f"{escape(found.suite)}: {len(found.changes)} changes, {found.regime}, {found.model}"
    for arm in found.arms:
        for each in arm.final.subsets:
            rate = each.rates[0]
            text = f"{escape(arm.name)}, {each.subset}: pass@{rate.k} {format_rate(rate.passed)}"
            if each.adoption is not None:
                adoption = each.adoption
                text += (
                    f", correct {adoption.correct}, incorrect {adoption.incorrect}, workaround "
                    f"{adoption.workaround}, stale {adoption.stale}, other {adoption.other}"
                )
            elif arm.final.regressions is not None:
                lost = arm.final.regressions
                text += f", lost {lost.lost} of {lost.solved} (|S| = {lost.tasks})"
            yield text
        if arm.refused:
            why = next(edit.refused for edit in arm.edits if edit.refused)
            yield f"{escape(arm.name)}: {arm.refused} edits were not made, the first: {escape(why)}"
    for note in found.notes:
        yield f"note: {escape(note)}"
    for gate in found.gates:
        shown = "" if gate.value is None else f" ({gate.value:.3g})"
        yield f"gate {escape(gate.text)}: {gate.outcome}{shown}{gate.reason and ': ' + gate.reason}"


def format_rate(rate: StudyRate) -> str:
    """Formats a share with its interval, where it has one."""
    if rate.low is None or rate.high is None:
        return f"{rate.value:.3f}"
    return f"{rate.value:.3f} [{rate.low:.3f}, {rate.high:.3f}]"


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
