"""`coderobust init`: a first suite, its settings and its CI job, which run as they stand."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_coderobust.cli.command import Commands


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "init",
        help="write a suite, its settings and a CI file that run as they stand",
        description="Asks nothing: looks at the folder for tasks, a model and its CI. Nothing is "
        "ever overwritten; what is there already is named and left, and the exit status is then 1.",
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(), help="the project's root (default: here)"
    )
    parser.set_defaults(command=init)


def init(options: argparse.Namespace) -> int:
    """Writes the files and says what to type next; 1 where something was there already.

    Raises:
        UsageError: there is no such folder, it lies inside a project, or cannot be written to.
    """
    from pytest_coderobust.cli.folder_look import look_at_folder
    from pytest_coderobust.cli.settings_table import add_settings
    from pytest_coderobust.cli.starter_files import (
        GITHUB,
        GITLAB,
        SETTINGS,
        SUITE,
        TABLE,
        list_next_steps,
        write_job_text,
        write_suite_text,
    )
    from pytest_coderobust.errors import UsageError

    folder: Path = options.folder
    check_folder(folder)
    look = look_at_folder(folder)
    job = GITLAB if look.gitlab else GITHUB
    add = add_settings if (folder / SETTINGS).exists() else write_new
    try:
        left = [
            write_new(folder, SUITE, write_suite_text(look)),
            add(folder, SETTINGS, TABLE),
            write_new(folder, job, write_job_text(look)),
        ]
    except OSError as error:
        raise UsageError(f"{error.filename}: cannot be written: {error.strerror}") from None
    print("\n".join(["", "next:", *list_next_steps(look)]))  # noqa: T201
    return int(any(left))


def check_folder(folder: Path) -> None:
    """Refuses a folder that is none, or is only a part of a project.

    Raises:
        UsageError: see above.
    """
    from pytest_coderobust.errors import UsageError
    from pytest_coderobust.session.root import find_root

    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder")
    root = find_root(folder)
    if root != folder.resolve():
        raise UsageError(
            f"{folder} lies in the project of {root}, whose settings count: coderobust init {root}"
        )


def write_new(folder: Path, name: str, text: str) -> bool:
    """Writes a new file, and says so; True where one was there, which is left as it is.

    Raises:
        OSError: the file cannot be written.
    """
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        print(f"left {name}: it is there already")  # noqa: T201
        return True
    print(f"wrote {name}")  # noqa: T201
    return False
