"""Rewriting of files for API changes; encoding and ends of lines stay as they are."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_coderobust.errors import DataError
from pytest_coderobust.files import replace_file
from pytest_coderobust.migration.rewriting import Rewriting, rewrite
from pytest_coderobust.records import ApiChange


@dataclass(frozen=True, slots=True)
class FileRewriting:
    """A file and what it becomes.

    Attributes:
        before: its text as it is, ends of lines included.
        encoding: as its first lines declare it.
    """

    path: Path
    before: str
    after: Rewriting
    encoding: str

    def write(self) -> None:
        """Replaces the file, if anything changes.

        Raises:
            DataError: it cannot be written.
        """
        if self.after.source == self.before:
            return
        try:
            replace_file(self.path, self.after.source.encode(self.encoding))
        except OSError as error:
            raise DataError(f"{self.path}: the file cannot be written ({error.strerror})") from None


def rewrite_file(path: Path, changes: Sequence[ApiChange]) -> FileRewriting:
    """Rewrites one file in memory.

    Raises:
        DataError: it cannot be read, or is not a valid Python program.
    """
    try:
        data = path.read_bytes()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error.strerror})") from None
    except (SyntaxError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the file is not text of its encoding: {error}") from None
    try:
        return FileRewriting(path, text, rewrite(text, changes), encoding)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from None
