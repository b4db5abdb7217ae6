"""Shapes of files of knowledge cases: CLMEEval's two arrays, CoNaLa's rows, and our own rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import cast

from pytest_coderobust.errors import nearest
from pytest_coderobust.knowledge.neighbours import Draft
from pytest_coderobust.records.knowledge import KnowledgeCase
from pytest_coderobust.tasks.rows import DataRow

INTENT = "Intent: {}\nCode:"
CODE = "Code: {}\nDescription:"
"""Prompts of the reference; what follows is taught behind one blank."""


@dataclass(frozen=True, slots=True)
class CaseShape:
    """One form of rows.

    Attributes:
        keys: by which a row shows to have it.
        read: makes a draft of a row and its number.
    """

    name: str
    keys: tuple[str, ...]
    read: Callable[[DataRow, int], Draft]


def find_shape(row: DataRow) -> CaseShape:
    """Finds the form of a row by its keys.

    Raises:
        DataError: it has none of the known forms; the nearest keys are named.
    """
    for shape in SHAPES:
        if all(key in row.values for key in shape.keys):
            return shape
    known = [key for key in row.values if key.isprintable()]
    likely = max(SHAPES, key=lambda shape: _count_alike(shape, known))
    missing = next(key for key in likely.keys if key not in row.values)
    forms = "; ".join(f"{shape.name}: {', '.join(shape.keys)}" for shape in SHAPES)
    raise row.error(
        f"no form of knowledge cases has these keys ({forms}): the key {missing!r} is missing"
        f"{nearest(missing, known)}"
    )


def _count_alike(shape: CaseShape, known: Sequence[str]) -> float:
    """Counts the keys of a form that are there; one that is spelled alike counts half."""
    return sum(
        1.0 if key in known else 0.5 if get_close_matches(key, known, n=1) else 0.0
        for key in shape.keys
    )


def _read_intent_edit(row: DataRow, number: int) -> Draft:
    return _read_edit(row, number, ("intent", "snippet", "rewritten_intent"), INTENT)


def _read_code_edit(row: DataRow, number: int) -> Draft:
    return _read_edit(row, number, ("code", "code_doc", "code_rewrite"), CODE)


def _read_reference(row: DataRow, number: int) -> Draft:
    """Reads a row of CLMEEval; its request tells which of the two sets it is of."""
    request = _object(row, "edit_request")
    if "code" in request.values and "intent" not in request.values:
        return _read_code_edit(row, number)
    return _read_intent_edit(row, number)


def _read_edit(row: DataRow, number: int, keys: tuple[str, str, str], template: str) -> Draft:
    request = _object(row, "edit_request")
    key, target, rewrite = keys
    text = _input(request, key)
    neighbours: tuple[str, ...] = ()
    if "neighborhoods" in row:
        around = _object(row, "neighborhoods")
        items = around.values.get("items")
        if not isinstance(items, list):
            raise around.error("'items' must be a list of objects")
        for place, item in enumerate(cast("list[object]", items), start=1):
            inner = _as_object(around, item, f"items, item {place}")
            neighbours = (*neighbours, template.format(inner.text(key)))
    name = row.identifier("case_id") if "case_id" in row else str(number)
    case = KnowledgeCase(
        name,
        template.format(text),
        _target(request, target),
        _rewrites(text, request.optional_text(rewrite), template),
        neighbours,
    )
    return Draft(case, text, text)


def _read_conala(row: DataRow, number: int) -> Draft:
    text = _input(row, "intent")
    case = KnowledgeCase(
        str(number),
        INTENT.format(text),
        _target(row, "snippet"),
        _rewrites(text, row.optional_text("rewritten_intent"), INTENT),
    )
    group = row.identifier("question_id") if "question_id" in row else text
    return Draft(case, text, group)


def _read_own(row: DataRow, number: int) -> Draft:
    prompt, answer = _input(row, "prompt"), _target(row, "target")
    target = answer.strip()
    lead, _, tail = answer.partition(target)
    if not lead and not prompt[-1:].isspace():
        lead = " "
    name = row.identifier("id") if "id" in row else str(number)
    rewrites, neighbours = (_prompts(row, key) for key in ("rewrites", "neighbours"))
    case = KnowledgeCase(name, prompt, target, rewrites, neighbours, lead, tail)
    return Draft(case, prompt, prompt)


def _rewrites(text: str, rewrite: str | None, template: str) -> tuple[str, ...]:
    """Makes the prompt of a rewrite; none where it says the same word for word."""
    if rewrite is None or rewrite.strip() in ("", text.strip()):
        return ()
    return (template.format(rewrite),)


def _input(row: DataRow, key: str) -> str:
    found = row.text(key)
    if not found.strip():
        raise row.error(f"{key!r} is empty: there is nothing to ask")
    return found


def _prompts(row: DataRow, key: str) -> tuple[str, ...]:
    found = row.texts(key)
    if not all(text.strip() for text in found):
        raise row.error(f"{key!r} has an empty one: there is nothing to ask")
    return found


def _target(row: DataRow, key: str) -> str:
    found = row.text(key)
    if not found.strip():
        raise row.error(f"{key!r} is empty: there is no target to edit towards")
    return found


def _object(row: DataRow, key: str) -> DataRow:
    if key not in row.values:
        raise row.error(f"the key {key!r} is missing{nearest(key, _printable(row.values))}")
    return _as_object(row, row.values[key], key)


def _as_object(row: DataRow, value: object, name: str) -> DataRow:
    if not isinstance(value, dict):
        raise row.error(f"{name!r} must be an object with keys, not {type(value).__name__}")
    return DataRow(cast("dict[str, object]", value), f"{row.where}, {name}")


def _printable(keys: Mapping[str, object]) -> Iterable[str]:
    return (key for key in keys if key.isprintable())


SHAPES = (
    CaseShape("CLMEEval", ("edit_request",), _read_reference),
    CaseShape("CoNaLa", ("intent", "snippet"), _read_conala),
    CaseShape("ours", ("prompt", "target"), _read_own),
)
"""Every form, in the order they are tried."""
