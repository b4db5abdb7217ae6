"""Store of the failures that hunts found: one JSON file each in `.coderobust/failures`.

The files are small enough to commit, and later hunts replay them before they search anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_coderobust.errors import DataError
from pytest_coderobust.files import replace_file
from pytest_coderobust.hunting.failure import Failure, from_json, to_json

FOLDER = Path(".coderobust") / "failures"
"""The folder of failures, from the root directory."""


class Failures:
    """A folder of failures, which is made when the first one is written.

    Attributes:
        trouble: why files were left out, one sentence each; filled while reading.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trouble: list[str] = []

    def write(self, failure: Failure) -> Path:
        """Stores a failure under its id; an older record of the same prompt is replaced.

        Raises:
            DataError: the folder or the file cannot be written.
        """
        path = self.folder / f"{failure.id}.json"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            replace_file(path, to_json(failure).encode("ascii"))
        except OSError as error:
            raise DataError(f"{path} cannot be written: {error}") from None
        return path

    def read(self, suite: str, tasks: Iterable[str]) -> tuple[Failure, ...]:
        """The failures of these tasks of a suite, in order of their files."""
        wanted = set(tasks)
        return tuple(
            failure
            for failure in self._all()
            if failure.suite == suite and failure.task_id in wanted
        )

    def _all(self) -> Iterator[Failure]:
        for path in sorted(self.folder.glob("*.json")):
            try:
                yield from_json(path.read_text(encoding="utf-8"), str(path))
            except (DataError, OSError, UnicodeDecodeError) as error:
                self.trouble.append(f"left out: {error}")
