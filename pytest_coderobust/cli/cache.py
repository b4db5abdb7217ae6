"""`coderobust cache`: the files that are kept beside the ledger, listed or cleared."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_coderobust.cli.command import Commands


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "cache", help="list or clear what is kept: covariances, encoders, data sets, models"
    )
    parser.add_argument(
        "--clear",
        nargs="+",
        metavar="KIND",
        help="remove everything of these kinds; all is every kind but trained, which is named",
    )
    parser.add_argument("--files", action="store_true", help="list each file with its size")
    parser.set_defaults(command=cache)


def cache(options: argparse.Namespace) -> int:
    """Lists what is kept with its size, or removes some kinds of it."""
    from pytest_coderobust.session.kept import KINDS, TRAINED, clear_kept, format_size, list_kept
    from pytest_coderobust.session.root import find_root

    root = find_root(Path.cwd())
    if options.clear:
        gone = clear_kept(root, options.clear)
        size = format_size(sum(entry.size for entry in gone))
        for entry in gone:
            if entry.kind == TRAINED:
                print(f"removed {entry.path}")  # noqa: T201
        print(f"removed {len(gone)} {'entry' if len(gone) == 1 else 'entries'}, {size}")  # noqa: T201
        return 0
    for kind, entries in list_kept(root).items():
        size = format_size(sum(entry.size for entry in entries))
        print(f"{kind:<15} {len(entries):>6} {size:>9}  {KINDS[kind]}")  # noqa: T201
        for entry in entries if options.files else ():
            print(f"  {format_size(entry.size):>9}  {entry.path}")  # noqa: T201
    return 0
