"""Editors of a benchmark: those that were named, and why one of them cannot be measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_coderobust.editors.answer_requests import explain_no_answers
from pytest_coderobust.editors.registry import EDITORS, EditorSpec, SavedSpec, parse_edit
from pytest_coderobust.editors.training_cases import is_taught
from pytest_coderobust.errors import UsageError
from pytest_coderobust.knowledge.case_set import CaseSet

ALL = "all"
"""Name that stands for every editor."""


@dataclass(frozen=True, slots=True)
class BenchEditor:
    """Editor that was asked for.

    Attributes:
        text: as the user wrote it.
        unable: why it cannot be measured, or "".
    """

    text: str
    spec: EditorSpec
    unable: str = ""


def split_editors(texts: Sequence[str]) -> list[str]:
    """Splits what `--edit` was given at the commas between editors.

    A comma also stands between the options of one editor: a part that is NAME=VALUE, and does not
    begin with the name of an editor, belongs to the editor before it.
    """
    found: list[str] = []
    for part in (part.strip() for text in texts for part in text.split(",")):
        head, _, _ = part.partition(":")
        option = "=" in part and head not in EDITORS
        if option and found:
            found[-1] += f"{',' if ':' in found[-1] else ':'}{part}"
        elif part == ALL:
            found += [name for name in EDITORS if name not in found]
        elif part:
            found.append(part)
    return list(dict.fromkeys(found))


def read_editors(texts: Sequence[str], *, training: bool) -> tuple[BenchEditor, ...]:
    """Reads the editors of `--edit`.

    Args:
        training: whether there are cases to train on.

    Raises:
        UsageError: one is unknown, has a wrong option, or is a saved edit.
    """
    found: list[BenchEditor] = []
    for text in split_editors(texts):
        spec = parse_edit(text)
        if isinstance(spec, SavedSpec):
            raise UsageError(
                f"--edit {text}: is a saved edit; a benchmark makes its own edits: name an editor"
            )
        found.append(BenchEditor(text, spec, _explain(spec, training=training)))
    if not found:
        raise UsageError(f"--edit names no editor; write --edit ft,rome or --edit {ALL}")
    return tuple(found)


def give_training(spec: EditorSpec, cases: CaseSet | None) -> EditorSpec:
    """Gives cases to an editor that learns from some, and to no other."""
    return replace(spec, training=cases) if cases is not None and is_taught(spec.options) else spec


def _explain(spec: EditorSpec, *, training: bool) -> str:
    if reason := explain_no_answers(spec):
        return reason
    if is_taught(spec.options) and not training and not getattr(spec.options, "train", ""):
        return f"{spec.name} learns from cases before it edits; give --train FILE"
    return ""
