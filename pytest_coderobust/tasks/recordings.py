"""Recorded variants: prompts that were perturbed elsewhere, paired with their clean tasks.

It reads NLPerturbator's CSV files, ReCode's JSONL files and own files of either kind;
`recording_row` reads one row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from glob import glob
from pathlib import Path
from types import MappingProxyType

from coderobust_strategies.audit import kinds
from pytest_coderobust.errors import DataError
from pytest_coderobust.records import Cell, PromptForm, Task, Variant, digest
from pytest_coderobust.tasks.catalogue import data_folder
from pytest_coderobust.tasks.load import TaskSet
from pytest_coderobust.tasks.recording_row import (
    audit_variant,
    differs,
    read_cell,
    read_task_id,
    read_variant,
)
from pytest_coderobust.tasks.rows import DataRow, EmptyFileError, read_rows

DAMAGED = "damaged in the recording"


@dataclass(frozen=True, slots=True)
class RecordedSet:
    """Recorded variants of a task set.

    Attributes:
        variants: by cell, in the order of the files, then by task id; a task without a row
            is absent.
        digest: changes whenever a variant does.
        notes: sentences that a report must show: files and rows that were left out.
    """

    variants: Mapping[Cell, Mapping[str, Variant]]
    digest: str
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reading:
    """State of a reading: the variants and notes found up to now."""

    tasks: Mapping[str, Task]
    form: PromptForm
    keep_damaged: bool
    variants: dict[Cell, dict[str, Variant]] = field(default_factory=dict[Cell, dict[str, Variant]])
    places: dict[tuple[Cell, str], str] = field(default_factory=dict[tuple[Cell, str], str])
    notes: list[str] = field(default_factory=list[str])


def load_recorded(
    patterns: Sequence[str],
    *,
    base: Path,
    tasks: TaskSet,
    form: PromptForm,
    keep_damaged: bool = False,
) -> RecordedSet:
    """Reads the variants in the files that the patterns name.

    Args:
        patterns: paths or globs below `base`, else below the folder of `CODEROBUST_DATA`.
        form: the form of MBPP's prompts; a perturbed description passes through it.
        keep_damaged: keeps the rows that the auditor calls damaged, which are skipped otherwise.

    Raises:
        DataError: a pattern matches no file, or a file cannot be used.
    """
    reading = _Reading({task.id: task for task in tasks.tasks}, form, keep_damaged)
    for path in dict.fromkeys(path for pattern in patterns for path in _matches(pattern, base)):
        _read_file(path, reading)
    return RecordedSet(
        variants=MappingProxyType(reading.variants),
        digest=_fingerprint(reading.variants),
        notes=tuple(reading.notes),
    )


def _matches(pattern: str, base: Path) -> list[Path]:
    folders = [folder for folder in (base, data_folder()) if folder is not None]
    for folder in folders:
        # Path.glob() refuses absolute patterns
        names = glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207
        found = sorted(folder / name for name in names if (folder / name).is_file())
        if found:
            return found
    places = " nor below ".join(str(folder) for folder in folders)
    raise DataError(f"recorded = {pattern!r} matches no file below {places}")


def _read_file(path: Path, reading: _Reading) -> None:
    rows = _rows(path)
    if not rows:
        reading.notes.append(f"{path.name} holds no prompts and was left out")
        return
    unpaired = unchanged = repeated = other = 0
    damage: Counter[str] = Counter()
    for row in rows:
        task = reading.tasks.get(read_task_id(row))
        if task is None:
            unpaired += 1
            continue
        variant = read_variant(row, task, read_cell(row, path), reading.form)
        unchanged += bool(variant.skipped)
        found = "" if variant.skipped else kinds(audit_variant(task, variant))
        if found:
            damage[found] += 1
            skipped = "" if reading.keep_damaged else f"{DAMAGED}: {found}"
            variant = replace(variant, skipped=skipped, damage=found)
        other += differs(row, task)
        repeated += not variant.skipped and _repeats_a_seed(variant, reading)
        _keep(row, variant, reading)
    if unpaired == len(rows):
        raise DataError(
            f"{path}: none of its {len(rows)} rows pairs with a task of the suite "
            f"({rows[0].where} is of {read_task_id(rows[0])!r})"
        )
    reading.notes.extend(_remarks(path.name, unpaired, unchanged, repeated, other))
    reading.notes.extend(_damage_remark(path.name, len(rows), damage, keep=reading.keep_damaged))


def _rows(path: Path) -> tuple[DataRow, ...]:
    """The rows of a file; none where no row has a prompt."""
    try:
        rows = read_rows(path)
    except EmptyFileError:
        return ()
    return rows if any("prompt" in row for row in rows) else ()


def _repeats_a_seed(variant: Variant, reading: _Reading) -> bool:
    """Whether another seed of the perturbation gave the same prompt before."""
    same, task = variant.cell.perturbation, variant.task.id
    return any(
        cell.perturbation == same and cell != variant.cell and found[task].prompt == variant.prompt
        for cell, found in reading.variants.items()
        if task in found
    )


def _remarks(name: str, unpaired: int, unchanged: int, repeated: int, other: int) -> Iterator[str]:
    remarks = (
        (unpaired, "of no task of the suite, left out"),
        (unchanged, "equal to the clean prompt, skipped"),
        (repeated, "equal to the row of another seed, kept"),
        (other, "recorded from another clean prompt or with other tests"),
    )
    for count, remark in remarks:
        if count:
            yield f"{name}: {count} {'row' if count == 1 else 'rows'} {remark}"


def _damage_remark(name: str, rows: int, damage: Counter[str], *, keep: bool) -> Iterator[str]:
    if damage:
        what = ", ".join(f"{count} {found}" for found, count in damage.most_common())
        fate = 'kept (damaged = "keep")' if keep else "left out"
        yield f"{name}: {damage.total()} of {rows} rows are damaged and were {fate}: {what}"


def _keep(row: DataRow, variant: Variant, reading: _Reading) -> None:
    key = variant.cell, variant.task.id
    if key in reading.places:
        raise row.error(
            f"the task {variant.task.id!r} has a variant under {variant.cell.label!r} already: "
            f"{reading.places[key]}"
        )
    reading.places[key] = row.where
    reading.variants.setdefault(variant.cell, {})[variant.task.id] = variant


def _fingerprint(variants: Mapping[Cell, Mapping[str, Variant]]) -> str:
    return digest(*(_identity(v) for found in variants.values() for v in found.values()))


def _identity(variant: Variant) -> Iterable[object]:
    task = variant.task
    parts = [variant.cell.perturbation, variant.cell.seed, task.id, variant.prompt]
    return [*parts, variant.skipped, task.entry_point, task.tests.source, task.canonical]
