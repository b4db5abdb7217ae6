"""Sources of training data: files, folders of the library `datasets`, and tiny's own corpus."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from pytest_coderobust.errors import DataError, MissingExtra, UsageError
from pytest_coderobust.records import digest
from pytest_coderobust.tasks.rows import DataRow, read_rows
from pytest_coderobust.tiny.corpus import training_samples
from pytest_coderobust.training.counting import count_noun
from pytest_coderobust.training.example import Passage, TrainingExample
from pytest_coderobust.training.formats import FORMATS, DataFormat, find_format
from pytest_coderobust.training.manifest import BuiltFacts, read_built

TINY_CORPUS = "tiny:corpus"
"""The name of the bundled model's own generator as a source of data."""
TINY_SEED = 101
"""The seed of its samples here: the bundled model was trained on those of seed 0."""
TINY_ROWS = 4_800
"""Rows of the generator where the user asks for no number: 300 steps of 16."""
NO_PROMPT, NO_ANSWER = "the prompt is blank", "the answer is blank"


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Rows to train on.

    Attributes:
        name: the source as a manifest names it: no path, which differs between machines.
        digest: a fingerprint of the source's content.
        left_out: the number of rows that cannot be used, by reason.
        built: what the manifest says, where the rows are a built set; its template is the format's.
    """

    name: str
    format: DataFormat
    digest: str
    examples: tuple[TrainingExample, ...]
    left_out: Mapping[str, int] = field(default_factory=dict[str, int])
    built: BuiltFacts | None = None


def read_data(
    source: str, *, fmt: str | None = None, rows: int | None = None, clean: bool = False
) -> TrainingData:
    """Reads training data.

    Args:
        source: a file (JSONL, JSON, CSV, Parquet), a folder that `datasets` saved, or
            "tiny:corpus".
        fmt: the name of the format where the keys of the rows do not tell it.
        rows: the most rows to take, from the first; None takes all.
        clean: refuses rows that are perturbed already.

    Raises:
        DataError: the data cannot be read, are ambiguous, hold no row to train on, or are a built
            set that is not that of its manifest.
        UnknownName, UsageError: there is no such format, or the source has another one.
        MissingExtra: a library that reads them is not installed.
    """
    if source == TINY_CORPUS:
        if fmt not in (None, "tasks"):
            raise UsageError(f"format {fmt!r}: {TINY_CORPUS} has rows of the format 'tasks'")
        return _cut(_generate(TINY_ROWS if rows is None else rows), source)
    path = Path(source)
    found = _read_folder(path) if path.is_dir() else read_rows(path)
    chosen = find_format(found, fmt, path.name)
    for row in found if clean else ():
        if row.values.get("edits"):
            raise row.error("the row is perturbed already; sets are built from clean rows")
    if (built := read_built(path)) is not None:
        # Control and perturbed model must be asked in one form, whatever they are built of.
        chosen = replace(chosen, template=built.template)
    examples = tuple(_read(chosen, found[:rows]))
    return _cut(TrainingData(path.name, chosen, _fingerprint(path), examples, built=built), source)


def _generate(rows: int) -> TrainingData:
    """Samples of the bundled model's generator as tasks; the quickstart suite asks for none."""
    examples = tuple(
        TrainingExample(
            f"corpus/{number}", (Passage(sample.prompt),), sample.answer, sample.entry_point
        )
        for number, sample in enumerate(training_samples(TINY_SEED, rows))
    )
    content = digest("tiny:corpus", [[each.texts[0], each.answer] for each in examples])
    return TrainingData(TINY_CORPUS, FORMATS["tasks"], content, examples)


def _read(chosen: DataFormat, rows: Iterable[DataRow]) -> Iterable[TrainingExample]:
    places: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        name = _find_id(row) or str(number)
        if name in places:
            raise row.error(f"the id {name!r} is already that of {places[name]}")
        places[name] = row.where
        yield chosen.read(row, name)


def _find_id(row: DataRow) -> str:
    for key in ("id", "task_id"):
        value = row.values.get(key)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
            return str(value)
    return ""


def _cut(data: TrainingData, source: str) -> TrainingData:
    """Leaves out the rows that say nothing.

    Raises:
        DataError: no row is left.
    """
    reasons = [_explain_blank(each) for each in data.examples]
    kept = tuple(each for each, why in zip(data.examples, reasons, strict=True) if not why)
    counts = Counter(why for why in reasons if why)
    if not kept:
        told = ", ".join(f"{count_noun(n, 'row')}: {each}" for each, n in counts.items())
        why = f" ({told})" if told else ""
        raise DataError(f"{source}: there is no row to train on{why}")
    return replace(data, examples=kept, left_out=dict(counts))


def _explain_blank(example: TrainingExample) -> str:
    if not any(passage.text.strip() for passage in example.passages if passage.prose):
        return NO_PROMPT
    return "" if example.answer.strip() else NO_ANSWER


def _fingerprint(path: Path) -> str:
    """Computes the SHA-256 of a file's bytes, or of all files of a folder with their names."""
    hasher = hashlib.sha256()
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    for file in files:
        if file is not path:
            hasher.update(f"{file.relative_to(path).as_posix()}\n".encode())
        with file.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                hasher.update(chunk)
    return hasher.hexdigest()


def _read_folder(path: Path) -> tuple[DataRow, ...]:
    """Reads a folder that `datasets.save_to_disk` wrote: one data set, or one with a split "train".

    Raises:
        DataError: it is no such folder, or has several splits and none is called train.
        MissingExtra: the library `datasets` is not installed.
    """
    if not any((path / name).is_file() for name in ("dataset_info.json", "dataset_dict.json")):
        raise DataError(f"{path}: the folder holds no data set that save_to_disk() wrote")
    try:
        library: Any = import_module("datasets")
    except ImportError:
        raise MissingExtra(f"reading the folder {path.name}", "hub") from None
    try:
        found: Any = library.load_from_disk(str(path))
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path}: the data set cannot be read ({error})") from None
    if (path / "dataset_dict.json").is_file():
        splits = sorted(found)
        if "train" not in splits:
            raise DataError(f"{path}: has the splits {', '.join(splits)}, and none is called train")
        found = found["train"]
    rows = cast("list[dict[str, object]]", found.to_list())
    if not rows:
        raise DataError(f"{path}: there is no row to train on")
    return tuple(
        DataRow(values, f"{path.name}, row {number}") for number, values in enumerate(rows, start=1)
    )
