"""`coderobust audit`: what perturbed prompts damaged, row by row."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_coderobust.cli.command import Commands


def register(commands: Commands) -> None:
    parser = commands.add_parser("audit", help="find what perturbed prompts damaged")
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="what `coderobust perturb` wrote, ReCode's JSONL or NLPerturbator's CSV",
    )
    parser.add_argument(
        "--tasks",
        metavar="NAME",
        help="the data set or file of the clean prompts (default: each row's own, else HumanEval)",
    )
    parser.add_argument(
        "--show", type=int, default=10, metavar="N", help="damaged rows to show (default 10)"
    )
    parser.set_defaults(command=audit)


def audit(options: argparse.Namespace) -> int:
    """Prints a table and the first damaged rows; 1 where a row is damaged."""
    import shutil
    import sys

    from pytest_coderobust.errors import DataError
    from pytest_coderobust.reporting.terminal.audit import render_audit
    from pytest_coderobust.tasks.audit import Audited, audit_file
    from pytest_coderobust.tasks.rows import EmptyFileError

    found: list[Audited] = []
    empty: list[str] = []
    for path in options.files:
        try:
            found += audit_file(path, options.tasks)
        except EmptyFileError as error:
            empty.append(str(error))
    if not found:
        raise DataError(empty[0])
    width = shutil.get_terminal_size((80, 24)).columns
    encoding = sys.stdout.encoding or "utf-8"
    print(render_audit(found, options.show, width, encoding), end="")  # noqa: T201
    for message in empty:
        print(f"left out: {message}")  # noqa: T201
    return int(any(row.is_damaged for row in found))
