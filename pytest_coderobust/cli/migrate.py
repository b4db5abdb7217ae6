"""`coderobust migrate`: rewrite Python files for API changes, without a model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands

if TYPE_CHECKING:
    from pytest_coderobust.migration.codemod import FileRewriting


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "migrate",
        help="rewrite Python files for API changes",
        description="Prints what would change. Exit status: 0 all uses are rewritten, 1 some "
        "were left, or a file cannot be read or written, which does not stop the others.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--changes", required=True, type=Path, metavar="FILE.toml", help="[[change]] tables"
    )
    parser.add_argument("--write", action="store_true", help="write the files")
    parser.set_defaults(command=migrate)


def migrate(options: argparse.Namespace) -> int:
    """Rewrites the files, prints the differences and lists the uses that were left."""
    from pytest_coderobust.errors import DataError
    from pytest_coderobust.migration.change_file import read_change_file
    from pytest_coderobust.migration.codemod import rewrite_file

    changes = read_change_file(options.changes)
    failed = False
    for path in options.files:
        # One file that is no Python does not stop the others.
        try:
            found = rewrite_file(path, changes)
            _tell(found, write=options.write)
        except DataError as error:
            print(f"coderobust: {error}", file=sys.stderr)  # noqa: T201
            failed = True
            continue
        for use in found.after.left:
            print(f"{path}:{use.line}: {use.api} is left: {use.reason}", file=sys.stderr)  # noqa: T201
            failed = True
    return int(failed)


def _tell(found: FileRewriting, *, write: bool) -> None:
    if not write:
        sys.stdout.write(_write_difference(found))
        return
    found.write()
    print(f"{found.path}: {found.after.changed} uses rewritten")  # noqa: T201


def _write_difference(found: FileRewriting) -> str:
    """The changes as `diff -u` writes them; "" for none."""
    import difflib

    before, after = (text.splitlines(keepends=True) for text in (found.before, found.after.source))
    name = str(found.path)
    return "".join(difflib.unified_diff(before, after, name, name))
