"""Recorded variants: prompts that somebody perturbed before, paired with their clean tasks.

Read are NLPerturbator's CSV files, ReCode's JSONL files and own files of either kind. A row
pairs with the clean task of its id. Its perturbation is the row's own `perturbation`, else the
file's name without data set, seed and extension: `recode/humaneval_ChangeCharCase_s1.jsonl.gz`
is `recorded:ChangeCharCase`, seed 1. The prefix keeps NLPerturbator's c1 apart from our C1.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from glob import glob
from pathlib import Path
from types import MappingProxyType

from coderobust_strategies.audit import Damage, audit, kinds
from pytest_coderobust.errors import DataError
from pytest_coderobust.records import Cell, PromptForm, Task, Variant, digest
from pytest_coderobust.tasks import mbpp
from pytest_coderobust.tasks.humaneval import humaneval_task
from pytest_coderobust.tasks.load import TaskSet
from pytest_coderobust.tasks.location import data_folder
from pytest_coderobust.tasks.rows import DataRow, EmptyFileError, read_rows

PREFIX = "recorded:"
DAMAGED = "damaged in the recording"

_LEVELS = {
    "character": (
        "char_deletion", "extra_capital_letter", "extra_space_among_words",
        "extra_space_inside_words", "keyboard_typo", "repeated_char", "space_deletion",
        "swap_adjacent_chars", "c1", "c2", "c3",
        "ButterFingersPerturbation", "ChangeCharCase", "SwapCharactersPerturbation",
        "WhitespacePerturbation",
    ),
    "word": (
        "active_and_passive_voice_variation", "determiner_deletion",
        "grammatical_person_variation", "preposition_deletion", "repeated_words",
        "swap_adjacent_words", "synonym_substitution", "word_class_variation",
        "EnglishInflectionalVariation", "SynonymInsertion", "SynonymSubstitution",
    ),
    "sentence": (
        "declarative_to_interrogative", "rephrasing_sentence",
        "BackTranslation", "TenseTransformationFuture", "TenseTransformationPast",
    ),
}  # fmt: skip
_LEVEL_OF = {PREFIX + name: level for level, names in _LEVELS.items() for name in names}

_FILE = re.compile(r"(?:(?:humaneval|mbpp)_)?(?P<name>.+?)(?:_s(?P<seed>\d+))?", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*(?::[A-Za-z0-9][A-Za-z0-9_.+-]*)?")


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
    """What has been read so far."""

    tasks: Mapping[str, Task]
    form: PromptForm
    keep_damaged: bool
    variants: dict[Cell, dict[str, Variant]] = field(default_factory=dict[Cell, dict[str, Variant]])
    places: dict[tuple[Cell, str], str] = field(default_factory=dict[tuple[Cell, str], str])
    notes: list[str] = field(default_factory=list[str])


def recorded_level(name: str) -> str:
    """The level that a recorded perturbation is reported under; "recorded" where unknown."""
    return _LEVEL_OF.get(name, "recorded")


def load_recorded(
    patterns: Sequence[str],
    *,
    base: Path,
    tasks: TaskSet,
    form: PromptForm,
    keep_damaged: bool = False,
) -> RecordedSet:
    """The variants in the files that the patterns name.

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
    unpaired = unchanged = other = 0
    damage: Counter[str] = Counter()
    for row in rows:
        task = reading.tasks.get(row_task_id(row))
        if task is None:
            unpaired += 1
            continue
        variant = _variant(row, task, row_cell(row, path), reading.form)
        unchanged += bool(variant.skipped)
        found = "" if variant.skipped else kinds(audit_variant(task, variant))
        if found:
            damage[found] += 1
            skipped = "" if reading.keep_damaged else f"{DAMAGED}: {found}"
            variant = replace(variant, skipped=skipped, damage=found)
        other += _differs(row, task)
        _keep(row, variant, reading)
    if unpaired == len(rows):
        raise DataError(
            f"{path}: none of its {len(rows)} rows pairs with a task of the suite "
            f"({rows[0].where} is of {row_task_id(rows[0])!r})"
        )
    reading.notes.extend(_remarks(path.name, unpaired, unchanged, other))
    reading.notes.extend(_damage_remark(path.name, len(rows), damage, keep=reading.keep_damaged))


def _rows(path: Path) -> tuple[DataRow, ...]:
    """The rows of a file, none where it holds no prompt at all."""
    try:
        rows = read_rows(path)
    except EmptyFileError:
        return ()
    return rows if any("prompt" in row for row in rows) else ()


def _remarks(name: str, unpaired: int, unchanged: int, other: int) -> Iterator[str]:
    remarks = (
        (unpaired, "of no task of the suite, left out"),
        (unchanged, "equal to the clean prompt, skipped"),
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


def audit_variant(task: Task, variant: Variant) -> tuple[Damage, ...]:
    """The audit of a variant; a rename that reaches every mention of the name is no damage."""
    return audit_renamed(task.prompt, variant.prompt, task.entry_point, variant.task.entry_point)


def audit_renamed(clean: str, variant: str, old: str, new: str) -> tuple[Damage, ...]:
    """The audit of a prompt whose entry point is called `new` where the clean one has `old`."""
    if old != new:
        clean = re.sub(rf"\b{re.escape(old)}\b", lambda _: new, clean)
    return audit(clean, variant)


def row_task_id(row: DataRow) -> str:
    """The id of the clean task that a row belongs to."""
    return mbpp.mbpp_id(row) if is_mbpp(row) else row.identifier("task_id")


def is_mbpp(row: DataRow) -> bool:
    """Whether a row has MBPP's shape: a description where HumanEval has a prompt."""
    return row.values.keys() >= mbpp.KEYS


def row_cell(row: DataRow, path: Path) -> Cell:
    """Perturbation and seed of a row: its own, else those in the file's name.

    Raises:
        DataError: they are no name and no whole number.
    """
    parts = _FILE.fullmatch(path.name.partition(".")[0])
    name = row.optional_text("perturbation") or (parts["name"] if parts else "")
    if not _NAME.fullmatch(name):
        raise row.error(
            f"the perturbation's name {name!r} must be of letters, digits and _ . + - :"
        )
    seed = row.values.get("seed")
    if seed is None or seed == "":
        seed = (parts and parts["seed"]) or 0
    if isinstance(seed, bool) or not re.fullmatch(r"\d{1,18}", str(seed)):
        raise row.error(f"'seed' must be a whole number from 0, not {seed!r}")
    return Cell(PREFIX + name, int(str(seed)))


def _variant(row: DataRow, task: Task, cell: Cell, form: PromptForm) -> Variant:
    judge = task
    if is_mbpp(row):
        problem = mbpp.mbpp_problem(row)
        if problem.entry != task.entry_point:
            raise row.error(
                f"its code calls the function {problem.entry!r} where the clean task "
                f"{task.id} has {task.entry_point!r}"
            )
        prompt = problem.prompt(row.text("prompt"), form)
    else:
        prompt = row.text("prompt")
        if row.values.get("entry_point", task.entry_point) != task.entry_point:
            # ReCode renames functions: such a row brings the task that judges it
            judge = replace(
                humaneval_task(row), id=task.id, tags=task.tags, api_changes=task.api_changes
            )
    unchanged = "unchanged in the recording" if prompt == task.prompt else ""
    return Variant(judge, cell, prompt, skipped=unchanged)


def _differs(row: DataRow, task: Task) -> bool:
    """Whether the row says that it was made from another version of the task."""
    if is_mbpp(row):
        return mbpp.mbpp_problem(row).tests != task.tests
    return (
        row.values.get("original_prompt", task.prompt) != task.prompt
        or row.values.get("test", task.tests.source) != task.tests.source
    )


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
