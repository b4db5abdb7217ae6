"""One row of a recording: the task it belongs to, its perturbation and seed, its variant.

A row pairs with the clean task of its id. Its perturbation is the row's own `perturbation`, else
the file's name without data set, seed and extension: `recode/humaneval_ChangeCharCase_s1.jsonl.gz`
is `recorded:ChangeCharCase`, seed 1. The prefix keeps NLPerturbator's c1 apart from our C1.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from coderobust_strategies.audit import Damage, audit
from pytest_coderobust.records import Cell, PromptForm, Task, Variant
from pytest_coderobust.tasks import mbpp
from pytest_coderobust.tasks.humaneval import read_humaneval
from pytest_coderobust.tasks.rows import DataRow

PREFIX = "recorded:"

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


def find_recorded_level(name: str) -> str:
    """Finds the level that a recorded perturbation is reported under, else "recorded"."""
    return _LEVEL_OF.get(name, "recorded")


def read_task_id(row: DataRow) -> str:
    """Reads the id of the clean task that a row belongs to."""
    return mbpp.read_mbpp_id(row) if is_mbpp(row) else row.identifier("task_id")


def is_mbpp(row: DataRow) -> bool:
    """Tells whether a row has MBPP's shape: a description in place of a prompt."""
    return row.values.keys() >= mbpp.KEYS


def read_cell(row: DataRow, path: Path) -> Cell:
    """Reads perturbation and seed of a row: its own, else those in the file's name.

    Raises:
        DataError: the perturbation is not a name, or the seed is not a whole number.
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


def read_variant(row: DataRow, task: Task, cell: Cell, form: PromptForm) -> Variant:
    """Reads the variant of a task that a row holds.

    Raises:
        DataError: it is of another function.
    """
    judge = task
    if is_mbpp(row):
        problem = mbpp.read_mbpp_problem(row)
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
                read_humaneval(row, form), id=task.id, tags=task.tags, api_changes=task.api_changes
            )
    unchanged = "unchanged in the recording" if prompt == task.prompt else ""
    return Variant(judge, cell, prompt, skipped=unchanged)


def differs(row: DataRow, task: Task) -> bool:
    """Tells whether the row was made from another version of the task."""
    if is_mbpp(row):
        return mbpp.read_mbpp_problem(row).tests != task.tests
    return (
        row.values.get("original_prompt", task.prompt) != task.prompt
        or row.values.get("test", task.tests.source) != task.tests.source
    )


def audit_variant(task: Task, variant: Variant) -> tuple[Damage, ...]:
    """Audits a variant; a rename that reaches every mention of the name is not damage."""
    return audit_renamed(task.prompt, variant.prompt, task.entry_point, variant.task.entry_point)


def audit_renamed(clean: str, variant: str, old: str, new: str) -> tuple[Damage, ...]:
    """Audits a prompt whose entry point is called `new` where the clean one has `old`."""
    if old != new:
        clean = re.sub(rf"\b{re.escape(old)}\b", lambda _: new, clean)
    return audit(clean, variant)
