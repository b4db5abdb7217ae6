"""`coderobust harvest`: make tasks of a package's own functions."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands
from pytest_coderobust.cli.options import add_sandbox_options
from pytest_coderobust.cli.out_folder import check_out_folder, write_out_folder

if TYPE_CHECKING:
    from pytest_coderobust.harvest.harvesting import Harvest, HarvestPlan


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "harvest",
        help="make tasks of a package's own functions",
        description="Runs the package's doctests and tests in a child process, with your rights, "
        "and records the calls of its functions. Bodies and mutants are judged in the sandbox. "
        "Writes tasks.jsonl, suite.toml and summary.md. Nothing leaves this machine.",
    )
    parser.add_argument("package", metavar="PACKAGE", help="an importable package or module")
    parser.add_argument(
        "--tests", nargs="+", type=Path, default=[], metavar="PATH", help="what pytest runs"
    )
    parser.add_argument(
        "--pytest-options", default="", metavar="TEXT",
        help="what the tests need of the project's addopts, which are not used",
    )  # fmt: skip
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--force", action="store_true", help="replace tasks.jsonl and summary.md that are there"
    )
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="PATTERN",
        help="full names of functions, such as 'textwrap.*'",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="seed of the drawn arguments (0)")
    parser.add_argument(
        "--longest-prompt", type=int, default=20_000, metavar="CHARACTERS",
        help="functions that need a longer prompt are left out (20000)",
    )  # fmt: skip
    add_sandbox_options(parser)
    parser.set_defaults(command=harvest)


def harvest(options: argparse.Namespace) -> int:
    """Harvests the package, writes the files and says what became of its functions."""
    from pytest_coderobust.harvest.harvesting import harvest_package
    from pytest_coderobust.harvest.modules import search_folder
    from pytest_coderobust.harvest.writing import write_harvest
    from pytest_coderobust.migration.judging import make_judge
    from pytest_coderobust.sandbox import open_sandbox

    plan = _make_plan(options)
    check_out_folder(options.out)
    _check_tasks(options.out, force=options.force)
    with (
        search_folder(Path.cwd()),
        open_sandbox(options.workers, allow_unsafe=options.allow_unsafe) as sandbox,
    ):
        judges = (make_judge(sandbox), make_judge(sandbox))
        found = harvest_package(plan, judges, _print_stage)
    _describe(found)
    if not found.tasks:
        print(f"nothing is written to {options.out}")  # noqa: T201
        return 1
    files = write_harvest(found)
    suite = options.out / "suite.toml"
    told = ""
    if suite.is_file():
        del files["suite.toml"]  # the user's own perturbations and gates stay
        told = explain_suite(found, suite)
    write_out_folder(files, options.out)
    print(f"written to {options.out}: read summary.md, run pytest {suite}")  # noqa: T201
    if told:
        print(told)  # noqa: T201
    return 0


def _make_plan(options: argparse.Namespace) -> HarvestPlan:
    import shlex
    from importlib.util import find_spec

    from pytest_coderobust.errors import MissingExtra, UsageError
    from pytest_coderobust.harvest.harvesting import HarvestPlan

    if find_spec("coverage") is None:  # told before minutes of tests
        raise MissingExtra("coderobust harvest", "harvest")
    for path in options.tests:
        if not path.exists():
            raise UsageError(f"--tests {path}: there is no such file or folder")
    if options.seed < 0:
        raise UsageError(f"--seed {options.seed} must not be negative")
    if options.longest_prompt < 1:
        raise UsageError(f"--longest-prompt {options.longest_prompt} must be at least 1")
    try:
        given = tuple(shlex.split(options.pytest_options))
    except ValueError as error:
        raise UsageError(f"--pytest-options {options.pytest_options!r}: {error}") from None
    return HarvestPlan(
        package=options.package,
        tests=tuple(options.tests),
        only=tuple(options.only),
        seed=options.seed,
        longest=options.longest_prompt,
        options=given,
    )


def _check_tasks(folder: Path, *, force: bool) -> None:
    """Refuses a folder that has tasks, before minutes of runs.

    Raises:
        UsageError: with what is there.
    """
    from pytest_coderobust.errors import UsageError

    there = folder / "tasks.jsonl"
    if there.exists() and not force:
        raise UsageError(f"{there} is there already; --force replaces it and summary.md")


def _print_stage(sentence: str) -> None:
    print(sentence, file=sys.stderr)  # noqa: T201


def explain_suite(found: Harvest, path: Path) -> str:
    """Explains that a suite was left as it is, and whether its packages are those of the tasks."""
    from pytest_coderobust.config.table import read_toml
    from pytest_coderobust.errors import ConfigError

    told = f"{path} was there and is left as it is"
    try:
        sandbox = read_toml(path).get("sandbox")
    except ConfigError as error:
        return f"{told}, and cannot be read: {error}"
    named = sandbox.get("packages", []) if isinstance(sandbox, dict) else []
    needed = list(found.origin.packages.names)
    if isinstance(named, list) and sorted(map(str, named)) == sorted(needed):
        return told
    return f"{told}; its [sandbox] packages are {named}, and these tasks need {needed}"


def _describe(found: Harvest) -> None:
    from pytest_coderobust.harvest.writing import count_reasons, measure_branches

    print(f"{len(found.tasks)} tasks kept; their tests take {measure_branches(found.tasks)}")  # noqa: T201
    for each in found.weak:
        print(f"weak tests, not kept: {each.name}: {each.reason}")  # noqa: T201
    for reason, names in count_reasons(found.left_out):
        print(f"left out: {len(names)} because {reason}")  # noqa: T201
    if found.unreadable:
        print(f"no Python of this version: {', '.join(found.unreadable)}")  # noqa: T201
