"""Check that editors learned from no case that they are asked; nothing here loads a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from pytest_coderobust.edit_bench.editors import BenchEditor
from pytest_coderobust.edit_bench.plan import BenchPart
from pytest_coderobust.editors.corpus import STDLIB
from pytest_coderobust.errors import UsageError
from pytest_coderobust.knowledge.choosing import find_known, find_overlap
from pytest_coderobust.knowledge.reading import read_case_set
from pytest_coderobust.records.knowledge import KnowledgeCase


def check_apart(editors: Sequence[BenchEditor], parts: Sequence[BenchPart]) -> list[str]:
    """Refuses editors whose own options lead to cases that are asked.

    Returns:
        What could not be checked, a sentence each.

    Raises:
        UsageError: an option `train`, or a file with something trained, shares an input, a rewrite
            or a neighbour with cases that are asked; or such a file stands beside other cases to
            train on, which it would leave without use.
        DataError: the cases that `train` names cannot be read.
    """
    asked = [case for part in parts for case in part.cases]
    unchecked: list[str] = []
    for editor in editors:
        own = getattr(editor.spec.options, "train", "")
        option, file = getattr(editor.spec.options, "kept", ("", ""))
        label = editor.spec.label
        if file:
            given = "--train" if parts[0].training else f"train={own}"
            if parts[0].training or own != STDLIB:
                raise UsageError(
                    f"--edit {label}: what {option}=FILE names was trained before, so {given} "
                    "would have no use; leave out either"
                )
            unchecked += _check_file(label, option, file, asked)
        elif own not in ("", STDLIB) and parts[0].training is None:
            _check_cases(label, own, asked)
    return unchecked


def _check_cases(label: str, own: str, asked: Sequence[KnowledgeCase]) -> None:
    if find_overlap(read_case_set(own), asked).places:
        raise UsageError(
            f"--edit {label}: train={own} shares inputs, rewrites or neighbours "
            "with the cases that are asked; give another file"
        )


def _check_file(label: str, option: str, file: str, asked: Sequence[KnowledgeCase]) -> list[str]:
    """Checks by the digests that a file keeps of what it learned from."""
    from pytest_coderobust.editors.network_files import TEXTS, read_about

    about = read_about(Path(file).expanduser())
    if about is None:
        return []  # the editor itself says that it cannot be read
    texts = cast("list[str] | None", about.get(TEXTS))
    if texts is None:
        said = (
            "the file does not tell what it learned from, so cases that are asked may be among it"
        )
        return [f"--edit {label}: not checked: {said}"]
    shared = find_known(texts, asked)
    if shared.places:
        raise UsageError(
            f"--edit {label}: what {option}={file} learned from shares an input, a rewrite or a "
            f"neighbour with {len(shared.places)} of the {len(asked)} cases that are asked, as "
            f"{shared.example[:60]!r}; ask others, or train on others"
        )
    return []
