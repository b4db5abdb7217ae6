"""`coderobust build-apis`: make a benchmark of API migration of any corpus of tasks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_coderobust.cli.command import Commands
from pytest_coderobust.cli.options import add_sandbox_options
from pytest_coderobust.cli.out_folder import check_out_folder, write_out_folder

if TYPE_CHECKING:
    from pytest_coderobust.migration.benchmark import Benchmark, BuildPlan
    from pytest_coderobust.migration.corpus import Corpus
    from pytest_coderobust.migration.review import Review


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "build-apis",
        help="make a benchmark of API migration of a corpus of tasks",
        description="Writes changes.toml, for people, and suite.toml with tasks.jsonl, to run. "
        "What was deleted from an earlier changes.toml in the folder stays left out.",
    )
    parser.add_argument(
        "--tasks",
        required=True,
        metavar="NAMES",
        help="data sets and files, separated by commas; also files below CODEROBUST_DATA",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of every draw (0)")
    parser.add_argument(
        "--preset",
        choices=("capped", "study", "small"),
        default="capped",
        help="capped: at most 4 and 16 tasks a change (default); study: half and half of them all; "
        "small: 3 and 5",
    )
    parser.add_argument(
        "--kinds",
        default="",
        metavar="KINDS",
        help="APIs: modules,builtins,types (the first two); changes: "
        "renamed,moved,removed,keyword-only,swapped (renamed)",
    )
    parser.add_argument(
        "--names",
        default="table",
        metavar="NAMES",
        help="new names: table, short (for tiny), prefix (my_math_sqrt), nonsense, or a .tsv of "
        "old and new names",
    )
    parser.add_argument(
        "--check", action="store_true", help="build again and compare; write nothing"
    )
    parser.add_argument(
        "--tokenizer", metavar="MODEL", help="also say how many tokens of a model the names have"
    )
    parser.add_argument("--fresh", action="store_true", help="forget what was deleted before")
    add_sandbox_options(parser)
    parser.set_defaults(command=build_apis)


def build_apis(options: argparse.Namespace) -> int:
    """Builds the benchmark and writes it, or compares it with what is there."""
    from pytest_coderobust.migration.corpus import load_corpus
    from pytest_coderobust.migration.review import apply_review
    from pytest_coderobust.migration.writing import write_files

    plan = _make_plan(options)
    check_out_folder(options.out)
    # A wrong name is told before minutes of runs.
    tokenizer = _open_tokenizer(options.tokenizer) if options.tokenizer is not None else None
    corpus = load_corpus(plan.tasks, Path.cwd())
    review = _find_review(options, plan, corpus)
    benchmark = _build(plan, corpus, options)
    if review is not None:
        benchmark = apply_review(benchmark, review)
    files = write_files(benchmark)
    if (options.out / "suite.toml").is_file():
        del files["suite.toml"]  # the user's own sampling and gates stay
    if options.check:
        return _compare(files, options.out)
    write_out_folder(files, options.out)
    _describe(benchmark, options.out)
    if options.tokenizer is not None:
        _describe_spelling(benchmark, options.tokenizer, tokenizer)
    return 0


def _make_plan(options: argparse.Namespace) -> BuildPlan:
    from pytest_coderobust.errors import UsageError
    from pytest_coderobust.migration.benchmark import BuildPlan
    from pytest_coderobust.migration.kinds import read_kinds
    from pytest_coderobust.migration.naming import open_names

    tasks = _split(options.tasks)
    if not tasks:
        raise UsageError("--tasks names no data set and no file")
    if options.seed < 0:
        raise UsageError(f"--seed {options.seed} must not be negative")
    names = open_names(options.names, options.seed, Path.cwd())
    return BuildPlan(
        tuple(tasks), read_kinds(_split(options.kinds)), names, options.preset, options.seed
    )


def _split(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _find_review(options: argparse.Namespace, plan: BuildPlan, corpus: Corpus) -> Review | None:
    """Finds the review of an earlier build of the same; None where there is none.

    Raises:
        UsageError: the folder holds another benchmark, or none to compare with.
    """
    from pytest_coderobust.errors import UsageError
    from pytest_coderobust.migration.review import read_review
    from pytest_coderobust.migration.writing import describe_build

    path: Path = options.out / "changes.toml"
    if not path.is_file():
        if options.check:
            raise UsageError(f"{path}: there is nothing to compare with")
        return None
    if options.fresh:
        return None
    review = read_review(path)
    for key, value in describe_build(plan, corpus).items():
        if review.built.get(key) != value:
            raise UsageError(
                f"{path}: it was built with {key} = {review.built.get(key)!r}, not {value!r}; "
                "give another --out, or --fresh"
            )
    return review


def _build(plan: BuildPlan, corpus: Corpus, options: argparse.Namespace) -> Benchmark:
    from pytest_coderobust.migration.benchmark import build_benchmark
    from pytest_coderobust.migration.judging import make_judge
    from pytest_coderobust.sandbox import open_sandbox

    progress = _print_progress if sys.stderr.isatty() else None
    with open_sandbox(options.workers, allow_unsafe=options.allow_unsafe) as sandbox:
        return build_benchmark(plan, corpus, make_judge(sandbox, progress), _print_stage)


def _print_progress(done: int) -> None:
    if done % 25 == 0:
        print(f"\r{done} solutions judged", end="", file=sys.stderr)  # noqa: T201


def _print_stage(sentence: str) -> None:
    clear = "\r" if sys.stderr.isatty() else ""
    print(f"{clear}{sentence}", file=sys.stderr)  # noqa: T201


def _compare(files: dict[str, str], folder: Path) -> int:
    """Compares built files with those of a folder; 1 where one differs."""
    different = 0
    for name, text in files.items():
        path = folder / name
        there = path.read_text(encoding="utf-8") if path.is_file() else ""
        if there == text:
            continue
        different += 1
        lines = zip([*there.split("\n"), ""], [*text.split("\n"), ""], strict=False)
        at = next((n for n, (a, b) in enumerate(lines, start=1) if a != b), 1)
        print(f"{path}: line {at} is not what a build makes of the tasks")  # noqa: T201
    if not different:
        print(f"{folder}: as a build makes it")  # noqa: T201
    return int(bool(different))


def _describe(benchmark: Benchmark, folder: Path) -> None:
    changes, reliability, generalisation, beside = benchmark.sizes
    apis, problems = benchmark.survived
    print(f"{apis} APIs and {problems} problems passed every check")  # noqa: T201
    print(  # noqa: T201
        f"{changes} changes: reliability {reliability}, generalisation {generalisation}, "
        f"specificity {beside} tasks"
    )
    for reason, count in benchmark.corpus.left_out.items():
        print(f"left out: {count} {reason}")  # noqa: T201
    print(f"written to {folder}: read changes.toml, run pytest {folder / 'suite.toml'}")  # noqa: T201


def _open_tokenizer(model: str) -> Any:
    from pytest_coderobust.config.settings import read_settings
    from pytest_coderobust.errors import UsageError
    from pytest_coderobust.session.choices import Choices
    from pytest_coderobust.session.models import open_tokenizer
    from pytest_coderobust.session.root import find_root

    settings = read_settings(find_root(Path.cwd()))
    try:
        return open_tokenizer(Choices(model=model), settings)
    except UsageError as error:
        raise UsageError(f"--tokenizer: {error}") from None


def _describe_spelling(benchmark: Benchmark, model: str, tokenizer: Any) -> None:
    from pytest_coderobust.migration.spelling import spell_changes

    spelling = spell_changes(benchmark.changes.values(), tokenizer)
    if spelling is None:
        return
    first, last = spelling.names[0], spelling.names[-1]
    print(  # noqa: T201
        f"new names in tokens of {model}, from where they differ from the old through the bracket: "
        f"{first.tokens} ({first.name}) to {last.tokens} ({last.name}), median "
        f"{spelling.median:g}"
    )
