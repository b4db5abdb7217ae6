"""`coderobust merge`: the ledgers of shards, put together."""

from __future__ import annotations

import argparse
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands
from pytest_coderobust.cli.report import open_ledger
from pytest_coderobust.errors import UsageError

if TYPE_CHECKING:
    from pytest_coderobust.ledger import Ledger


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "merge",
        help="put the ledgers of shards together",
        description="Takes what `pytest --coderobust-shard I/N` stored into one ledger, by "
        "content, and concludes about the whole. Parts of different models, suites, judges or "
        "samplings are refused. Merging again changes nothing; a shard that comes later is added.",
    )
    parser.add_argument("out", type=Path, help="the ledger to write; it may be there already")
    parser.add_argument("ledgers", nargs="+", type=Path, help="the shards' ledgers")
    parser.set_defaults(command=merge)


def merge(options: argparse.Namespace) -> int:
    """Merges, and prints a line a suite; gates set no exit status here."""
    from pytest_coderobust.ledger.merging import merge_ledgers
    from pytest_coderobust.results.merging import (
        check_parts,
        conclude_whole,
        keep_latest,
        read_parts,
    )

    out: Path = options.out
    ledgers: list[Path] = [path for path in options.ledgers if path.resolve() != out.resolve()]
    with ExitStack() as opened:
        known = read_parts(_open(out, opened)) if out.exists() else {}
        for path in ledgers:
            found = read_parts(_open(path, opened))
            if not found:
                raise UsageError(
                    f"{path} holds no shard: run `pytest SUITE --coderobust-shard I/N "
                    f"--coderobust-ledger {path}` to its end first"
                )
            for suite, parts in found.items():
                known.setdefault(suite, []).extend(parts)
        for parts in known.values():
            check_parts(keep_latest(parts))
    merge_ledgers(out, ledgers)
    with ExitStack() as opened:
        ledger = _open(out, opened)
        for suite, parts in read_parts(ledger).items():
            run = conclude_whole(ledger, parts).run
            told = f"PARTIAL: {run.incomplete}" if run.incomplete else "whole"
            shards = len({part.index for part in parts})
            print(f"{suite}: {len(run.observations)} items of {shards} shards; {told}")  # noqa: T201
    return 0


def _open(path: Path, opened: ExitStack) -> Ledger:
    """Opens a ledger that is there, for as long as the stack lasts."""
    return opened.enter_context(closing(open_ledger(path)))
