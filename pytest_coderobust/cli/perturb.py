"""`coderobust perturb`: write the variants of a suite's prompts to a JSONL file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands

if TYPE_CHECKING:
    from pytest_coderobust.config.suite import SuiteConfig


def register(commands: Commands) -> None:
    parser = commands.add_parser("perturb", help="write perturbed prompts to a JSONL file")
    parser.add_argument(
        "--suite", required=True, metavar="SUITE", help="a suite's TOML file, or a data set's name"
    )
    parser.add_argument(
        "--perturb",
        metavar="NAMES",
        help="perturbations, separated by commas (default: the suite's own)",
    )
    parser.add_argument(
        "--seeds",
        metavar="N",
        help="how many seeds (3 is 0,1,2), or which (0,4) (default: the suite's own)",
    )
    parser.add_argument(
        "--rewriter",
        "--engine",  # its former name
        dest="rewriters",
        action="append",
        default=[],
        metavar="NAME=REWRITER",
        help="rewriter of sentences, as under a suite's [rewriters]: S1=apertium; may be repeated",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.jsonl")
    parser.set_defaults(command=perturb)


def perturb(options: argparse.Namespace) -> int:
    """Writes the variants and says how many, and what was left out."""
    from pytest_coderobust.engine.export import export
    from pytest_coderobust.engine.plan import read_plan

    plan = read_plan(_read_config(options))
    found = export(plan, options.out)
    print(f"{found.rows} variants written to {options.out}")  # noqa: T201
    for reason, count in found.left_out.items():
        print(f"{count} left out: {reason}")  # noqa: T201
    for note in plan.notes:
        print(f"note: {note}")  # noqa: T201
    return 0


def _read_config(options: argparse.Namespace) -> SuiteConfig:
    """The suite under the perturbations and seeds that the command names.

    Raises:
        ConfigError: the suite or one of the names is wrong.
    """
    from dataclasses import replace

    from pytest_coderobust.config.suite import make_named_suite, read_suite, with_perturbations
    from pytest_coderobust.errors import UsageError

    suite: str = options.suite
    path = Path.cwd() / suite
    config = read_suite(path) if suite.endswith(".toml") else make_named_suite(suite, Path.cwd())
    config = _add_rewriters(config, options.rewriters)
    if options.perturb is not None:
        names = [name.strip() for name in options.perturb.split(",") if name.strip()]
        config = with_perturbations(config, names, "--perturb: ")
    if options.seeds is not None:
        config = replace(config, seeds=parse_seeds(options.seeds))
    if not config.perturbations:
        raise UsageError(f"{suite} names no perturbation; name some with --perturb")
    return replace(config, recorded=())


def _add_rewriters(config: SuiteConfig, words: Sequence[str]) -> SuiteConfig:
    """Adds the rewriters that `--rewriter` names to those of a suite, or replaces them.

    Raises:
        ConfigError: a perturbation takes no rewriter, or a value is not a valid rewriter.
    """
    from dataclasses import replace

    from pytest_coderobust.config.rewriters import Rewriters, read_rewriters
    from pytest_coderobust.config.table import Table

    named: dict[str, object] = {}
    for word in words:
        name, _, rewriter = word.partition("=")
        named[name] = rewriter
    found = read_rewriters(Table(named, "rewriters", "--rewriter"))
    own = config.perturbing.rewriters
    rewriters = Rewriters({**own.specs, **found.specs}, own.allow_bin)
    return replace(config, perturbing=replace(config.perturbing, rewriters=rewriters))


def parse_seeds(text: str) -> tuple[int, ...]:
    """ "3" is (0, 1, 2) and "0,4" is (0, 4).

    Raises:
        UsageError: it is neither a number from 1 nor a list of different seeds.
    """
    from pytest_coderobust.errors import UsageError

    parts = [part.strip() for part in text.split(",")]
    if all(part.isdecimal() and part.isascii() for part in parts):
        seeds = tuple(int(part) for part in parts)
        if len(seeds) > 1 and len(set(seeds)) == len(seeds):
            return seeds
        if len(seeds) == 1 and seeds[0] >= 1:
            return tuple(range(seeds[0]))
    raise UsageError(f"--seeds {text!r} must be how many seeds, from 1, or a list such as 0,4")
