"""Protocols of editors that work once for a model before their first edit.

Some only read or measure something (`PreparedEditor`). One that trains a network of its own has an
option `train`, which names knowledge cases as `coderobust edit-bench` reads them. A caller that has
the cases gives them with the spec instead (`EditorSpec.training`), and `open_editor` hands them
over. An editor keeps what it trained under the digests of model, options and cases, and finds it
again there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeGuard

from pytest_coderobust.editors.protocol import Editor, Facts
from pytest_coderobust.knowledge.case_set import CaseSet

if TYPE_CHECKING:
    from pytest_coderobust.editors.access import Access


class PreparedEditor(Editor, Protocol):
    """Editor with work that is the model's and no edit's; `compute` prepares where nobody did.

    It keeps what it prepared, so the same object is to make the edits that follow.
    """

    def prepare(self, access: Access) -> Facts:
        """Does the work, or reads what was kept of it.

        Returns:
            Facts of it, with `prepared` = seconds; empty where there was nothing to do.

        Raises:
            UsageError: an option does not fit the model.
            ModelError: it cannot be done on this model.
        """
        ...


class TrainedEditor(PreparedEditor, Protocol):
    """Editor that learns from cases how to edit."""

    def train_on(self, cases: CaseSet) -> None:
        """Takes the cases to learn from, in the place of those that the option `train` names."""
        ...

    def prepare(self, access: Access) -> Facts:
        """Trains, or reads what was trained before on the same cases for the same model.

        Returns:
            Facts of the training (cases, steps, losses, and `trained` = seconds; 0.0 where read).

        Raises:
            UsageError: there are no cases, or too few.
            ModelError: the training diverged, or what was kept is another model's.
        """
        ...


def is_prepared(editor: Editor) -> TypeGuard[PreparedEditor]:
    """Says whether an editor has work to do before its first edit."""
    return callable(getattr(editor, "prepare", None))


def is_trained(editor: Editor) -> TypeGuard[TrainedEditor]:
    """Says whether an editor learns from cases."""
    return callable(getattr(editor, "train_on", None))


def is_taught(options: object) -> bool:
    """Says whether options are those of an editor that learns from cases; imports no editor."""
    return hasattr(options, "train")


def give_cases(editor: Editor, cases: CaseSet | None) -> Editor:
    """Hands cases to an editor that learns from them; returns the editor."""
    if cases is not None and is_trained(editor):
        editor.train_on(cases)
    return editor
