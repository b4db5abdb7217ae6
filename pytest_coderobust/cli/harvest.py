"""`coderobust harvest`: make tasks of a package's own functions."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands

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
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="PATTERN",
        help="full names of functions, such as 'textwrap.*'",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="seed of the drawn arguments (0)")
    parser.add_argument(
        "--longest-prompt", type=int, default=20_000, metavar="CHARACTERS",
        help="functions that need a longer prompt are left out (20000)",
    )  # fmt: skip
    parser.add_argument("--workers", type=int, help="checks at a time (one for each processor)")
    parser.add_argument(
        "--allow-unsafe", action="store_true", help="also run where only limits can be set"
    )
    parser.set_defaults(command=harvest)


def harvest(options: argparse.Namespace) -> int:
    """Harvests the package, writes the files and says what became of its functions."""
    from pytest_coderobust.harvest.harvesting import harvest_package
    from pytest_coderobust.harvest.writing import write_harvest
    from pytest_coderobust.migration.judging import make_judge
    from pytest_coderobust.sandbox import open_sandbox

    plan = _make_plan(options)
    _check_folder(options.out)
    with open_sandbox(options.workers, allow_unsafe=options.allow_unsafe) as sandbox:
        judges = (make_judge(sandbox), make_judge(sandbox))
        found = harvest_package(plan, judges, _print_stage)
    files = write_harvest(found)
    if (options.out / "suite.toml").is_file():
        del files["suite.toml"]  # the user's own perturbations and gates stay
    _write(files, options.out)
    _describe(found, options.out)
    return 0 if found.tasks else 1


def _make_plan(options: argparse.Namespace) -> HarvestPlan:
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
    return HarvestPlan(
        package=options.package,
        tests=tuple(options.tests),
        only=tuple(options.only),
        seed=options.seed,
        longest=options.longest_prompt,
    )


def _check_folder(folder: Path) -> None:
    """Refuses a folder that cannot be one, before minutes of runs. Raises UsageError."""
    from pytest_coderobust.errors import UsageError

    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise UsageError(f"--out {folder}: {there} is a file, and a folder is needed")


def _print_stage(sentence: str) -> None:
    print(sentence, file=sys.stderr)  # noqa: T201


def _write(files: dict[str, str], folder: Path) -> None:
    from pytest_coderobust.errors import UsageError
    from pytest_coderobust.files import replace_file

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            replace_file(folder / name, text.encode("utf-8"))
    except OSError as error:
        raise UsageError(f"{folder}: the files cannot be written ({error.strerror})") from None


def _describe(found: Harvest, folder: Path) -> None:
    from pytest_coderobust.harvest.writing import count_reasons, measure_branches

    print(f"{len(found.tasks)} tasks kept; their tests take {measure_branches(found.tasks)}")  # noqa: T201
    for each in found.weak:
        print(f"weak tests, not kept: {each.name}: {each.reason}")  # noqa: T201
    for reason, names in count_reasons(found.left_out):
        print(f"left out: {len(names)} because {reason}")  # noqa: T201
    print(f"written to {folder}: read summary.md, run pytest {folder / 'suite.toml'}")  # noqa: T201
