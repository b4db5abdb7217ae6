"""The folder that a command writes its files to: checked before minutes of work, replaced whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_coderobust.errors import UsageError
from pytest_coderobust.files import replace_file


def check_out_folder(folder: Path) -> None:
    """Refuses a folder that cannot be one.

    Raises:
        UsageError: names the file that is in its place.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise UsageError(f"--out {folder}: {there} is a file, and a folder is needed")


def write_out_folder(files: Mapping[str, str], folder: Path) -> None:
    """Writes texts under their names.

    Raises:
        UsageError: one cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            replace_file(folder / name, text.encode("utf-8"))
    except OSError as error:
        raise UsageError(f"{folder}: the files cannot be written ({error.strerror})") from None
