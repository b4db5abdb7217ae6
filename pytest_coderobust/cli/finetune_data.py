"""`coderobust finetune-data`: build sets of training rows with perturbed prompts."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands
from pytest_coderobust.cli.finetune_values import (
    read_number,
    read_ratios,
    read_rewriters,
    read_sizes,
)
from pytest_coderobust.cli.training_suite import read_training_suite

if TYPE_CHECKING:
    from pytest_coderobust.config.rewriters import RewriterSpec
    from pytest_coderobust.engine.rewrites import RewriteSource
    from pytest_coderobust.training.building import BuiltSet
    from pytest_coderobust.training.source import TrainingData


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "finetune-data", help="build training sets with perturbed prompts and untouched answers"
    )
    parser.add_argument(
        "data",
        metavar="DATA",
        help="a file of rows (JSONL, JSON, CSV, Parquet), a folder of the library datasets, or "
        "tiny:corpus",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    parser.add_argument(
        "--sets",
        default="all",
        metavar="NAMES",
        help="all, clean, singles, aggregates, ratios, sizes, or perturbations (default: all)",
    )
    parser.add_argument(
        "--ratios",
        default="10,30,50,70,90",
        metavar="LIST",
        help="per cent of perturbed rows (default: 10,30,50,70,90)",
    )
    parser.add_argument(
        "--repeats", default="3", metavar="N", help="draws of each ratio (default: 3)"
    )
    parser.add_argument(
        "--sizes", default="0.25,0.5,2,3", metavar="LIST", help="(default: 0.25,0.5,2,3)"
    )
    parser.add_argument("--seed", default="42", metavar="N", help="(default: 42)")
    parser.add_argument("--rows", metavar="N", help="take the first N rows of the data")
    parser.add_argument(
        "--format", metavar="NAME", help="alpaca, completion, messages or tasks, if not clear"
    )
    parser.add_argument(
        "--rewriter",
        dest="rewriters",
        action="append",
        default=[],
        metavar="NAME=REWRITER",
        help="rewriter of sentences, as under a suite's [rewriters]: S1=apertium; may be repeated",
    )
    parser.add_argument(
        "--suite",
        dest="suites",
        action="append",
        default=[],
        metavar="SUITE",
        help="a suite's TOML file or a data set's name: refuse rows that it asks for; may be "
        "repeated",
    )
    parser.add_argument(
        "--decontaminate", action="store_true", help="leave those rows out instead of refusing them"
    )
    parser.set_defaults(command=finetune_data)


def finetune_data(options: argparse.Namespace) -> int:
    """Builds the sets and says what is in them."""
    from pytest_coderobust.training.building import SetBuilder
    from pytest_coderobust.training.counting import count_noun
    from pytest_coderobust.training.perturbing import ExamplePerturber
    from pytest_coderobust.training.sets import list_sets
    from pytest_coderobust.training.source import read_data

    sets = list_sets(
        [name.strip() for name in options.sets.split(",") if name.strip()],
        ratios=read_ratios(options.ratios),
        repeats=read_number("--repeats", options.repeats, least=1),
        sizes=read_sizes(options.sizes),
    )
    seed = read_number("--seed", options.seed, least=0)
    rows = None if options.rows is None else read_number("--rows", options.rows, least=1)
    rewriters = read_rewriters(options.rewriters)
    _check_sets(options.sets, [each.perturbation for each in sets], rewriters)
    _check_out(options, [each.name for each in sets])
    data = read_data(options.data, fmt=options.format, rows=rows, clean=True)
    data, facts = _compare(data, options.suites, drop=options.decontaminate)
    builder = SetBuilder(data, ExamplePerturber(_open(rewriters)), seed, rewriters, facts)
    rows_read = count_noun(len(data.examples), "row")
    print(f"{data.name}: {rows_read} of the format {data.format.name}")  # noqa: T201
    for reason, count in data.left_out.items():
        print(f"{count_noun(count, 'row')} left out: {reason}")  # noqa: T201
    with _progress(len(sets)) as advance:
        built = builder.build(sets, options.out, advance)
    _print_sets(built, [each.name for each in sets], options)
    return 0


def _print_sets(
    built: Mapping[str, BuiltSet], names: Sequence[str], options: argparse.Namespace
) -> None:
    from pytest_coderobust.training.counting import count_noun

    width = max((len(name) for name in built), default=0)
    for name, each in built.items():
        skipped = sum(each.skipped.values())
        more = f", {skipped} skipped" if skipped else ""
        rows = count_noun(each.rows, "row")
        print(f"{name:{width}}  {rows}, {each.perturbed} perturbed{more}")  # noqa: T201
    if missing := [name for name in names if name not in built]:
        print(f"not built: {', '.join(missing)} (needs --rewriter, such as S1=apertium)")  # noqa: T201
    if not options.suites:
        print("not compared with any suite; --suite SUITE finds rows that it asks for")  # noqa: T201
    print(f"written to {options.out}")  # noqa: T201


def _check_sets(text: str, wanted: Sequence[str], rewriters: Mapping[str, RewriterSpec]) -> None:
    """Refuses a set that is asked for by its name and lacks its rewriter.

    Raises:
        UsageError, ConfigError: there is none to build, or one lacks its rewriter.
    """
    from coderobust_strategies import lookup
    from coderobust_strategies.catalogue import REWRITING
    from pytest_coderobust.errors import UsageError
    from pytest_coderobust.training.sets import GROUPS, MIXING

    if not wanted:
        raise UsageError(f"--sets {text!r} names no set; valid groups are {', '.join(GROUPS)}")
    # A mix by its members' names asks for each of them.
    for name in (part.strip() for part in text.replace(MIXING, ",").split(",")):
        if name in REWRITING and name not in rewriters:
            title = lookup(name, rewriter=True).title
            raise UsageError(
                f"--sets {name}: the perturbation {name!r} ({title}) needs a rewriter: "
                f"--rewriter {name}=apertium"
            )


def _check_out(options: argparse.Namespace, names: Sequence[str]) -> None:
    """Refuses a folder in which a set would be written over the data, or over foreign files.

    Raises:
        UsageError: says what would be lost.
    """
    from pytest_coderobust.cli.out_folder import check_out_folder
    from pytest_coderobust.errors import UsageError
    from pytest_coderobust.training.manifest import check_manifest

    check_out_folder(options.out)
    check_manifest(options.out)
    source = Path(options.data).resolve()
    for name in names:
        if (options.out / f"{name}.jsonl").resolve() == source:
            raise UsageError(
                f"--out {options.out}: the set {name} would be written over the data, "
                f"{options.data}; name another folder"
            )


def _open(rewriters: Mapping[str, RewriterSpec]) -> Mapping[str, RewriteSource]:
    from pytest_coderobust.engine.rewrites import RewriteSource
    from pytest_coderobust.rewriters.registry import open_rewriter

    return {
        name: RewriteSource(open_rewriter(spec, Path.cwd(), f"--rewriter {name}={spec.text}"))
        for name, spec in rewriters.items()
    }


def _compare(
    data: TrainingData, suites: Sequence[str], *, drop: bool
) -> tuple[TrainingData, Mapping[str, object]]:
    """Compares the rows with suites; returns those that are in none, and the manifest's entry.

    Raises:
        DataError: rows are also in a suite and may not be dropped, or none is left.
        UsageError: rows are to be dropped, and no suite is named.
    """
    from pytest_coderobust.errors import UsageError
    from pytest_coderobust.training.counting import count_noun
    from pytest_coderobust.training.overlap import drop_overlap

    if drop and not suites:
        raise UsageError("--decontaminate needs a suite to compare with: --suite SUITE")
    compared: dict[str, int] = {}
    digests: dict[str, str] = {}
    for name in suites:
        suite = read_training_suite(name)
        tasks = suite.tasks.values()
        data, gone = drop_overlap(data, tasks, name, drop=drop, remedy="--decontaminate")
        compared[Path(name).name], digests[Path(name).name] = gone, suite.digest
        if gone:
            print(f"{count_noun(gone, 'row')} left out: also in the suite {name}")  # noqa: T201
    return data, {"suites": {"compared": compared, "tasks": digests}}


@contextmanager
def _progress(sets: int) -> Generator[Callable[[str], None]]:
    """Context with one bar on a terminal's error stream; yields the function that moves it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("building"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=sets)
        yield lambda name: bar.update(task, advance=1, description=name)
