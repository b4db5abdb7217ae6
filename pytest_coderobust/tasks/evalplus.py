"""EvalPlus's own rows (HumanEvalPlus.jsonl, MbppPlus.jsonl): inputs and a reference solution.

The tests compare candidate and reference on every base and plus input, one assert for each.
The expected values are computed when the tests run, never when a file is read. `contract`, the
condition that inputs satisfy, needs no check: the released inputs satisfy it.
"""

from __future__ import annotations

import ast
import json
from functools import cache
from pathlib import Path
from typing import cast

from pytest_coderobust.records import PromptForm, Task, Tests
from pytest_coderobust.tasks import form as forms
from pytest_coderobust.tasks.gold import dissect
from pytest_coderobust.tasks.humaneval import cut_preamble, read_entry_point
from pytest_coderobust.tasks.program import parse
from pytest_coderobust.tasks.rows import DataRow

_SHAPES: dict[tuple[str, ...], tuple[int, ...]] = {
    ("tuple",): (
        2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424, 429, 470, 560, 579, 596, 616, 630,
        726, 740, 744, 809,
    ),
    ("tuples",): (63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780),
    ("tuples", "as is"): (75, 413, 444, 753),
    ("as is", "tuple"): (106, 750),
    ("tuple", "as is"): (250, 307, 405, 446, 617, 720, 763, 808),
    ("nested tuple",): (259, 278, 401, 445),
    ("deep tuple",): (580, 615, 791),
    ("dict of tuples", "as is"): (722,),
    ("sets",): (115,),
    ("float", "complex"): (124,),
    ("complex",): (252,),
}  # fmt: skip
"""MBPP's arguments that JSON turned into lists or text, by the task's number."""
_SHAPE_OF = {number: shape for shape, numbers in _SHAPES.items() for number in numbers}

_MBPP_ORACLES: dict[str, tuple[str, ...]] = {
    "anything": ("are_equivalent",),
    "zero": ("sum_div",),
    "pyramid": ("surface_Area",),
    "distance": ("digit_distance_nums",),
    "found": ("check_str", "text_match_three", "text_starta_endb"),
    "set": (
        "similar_elements", "find_char_long", "common_in_nested_lists", "extract_singly",
        "larg_nnum", "intersection_array", "find_dissimilar", "Diff",
    ),
}  # fmt: skip
_MBPP_ORACLE_OF = {entry: name for name, entries in _MBPP_ORACLES.items() for entry in entries}


def read_evalplus(row: DataRow, form: PromptForm) -> Task:
    """Reads the task of one row.

    Raises:
        DataError: a key is missing, or the task has no inputs or no entry point.
    """
    prompt, canonical = row.text("prompt"), row.text("canonical_solution")
    entry = read_entry_point(row, prompt, canonical)
    tests = _tests(row, prompt + canonical, entry)
    before = cut_preamble(prompt, entry)
    if _is_mbpp(row) and form == "docstring":
        prompt, canonical, before = _docstring_form(prompt, canonical, entry)
    return Task(
        id=row.identifier("task_id"),
        prompt=prompt,
        entry_point=entry,
        tests=tests,
        canonical=canonical,
        preamble=before,
    )


def _is_mbpp(row: DataRow) -> bool:
    return row.identifier("task_id").lower().startswith("mbpp/")


def _docstring_form(prompt: str, canonical: str, entry: str) -> tuple[str, str, str]:
    """Prompt, canonical solution and preamble of MBPP, which EvalPlus writes in the plain form."""
    tree, gold = parse(prompt), dissect(canonical, entry)
    text = ast.get_docstring(tree) if tree and len(tree.body) == 1 else None
    if text is None or gold is None:
        return prompt, canonical, ""
    lines = text.split("\n")
    asserts = [line for line in lines if line.startswith("assert ")]
    description = "\n".join(line for line in lines if not line.startswith("assert "))
    written = forms.write_docstring_prompt(gold, description, forms.make_examples(asserts, entry))
    return written, forms.write_docstring_canonical(gold), forms.write_preamble(gold)


def _tests(row: DataRow, program: str, entry: str) -> Tests:
    inputs = [*_inputs(row, "base_input"), *_inputs(row, "plus_input")]
    if not inputs:
        raise row.error("the task has no tests: 'base_input' and 'plus_input' are empty")
    shape, oracle = _particulars(row, entry)
    arguments = ", ".join(
        f"{key}={value!r}"
        for key, value in (
            ("program", program),
            ("entry", entry),
            ("inputs", json.dumps(inputs)),
            ("shapes", shape),
            ("tolerance", _tolerance(row)),
            ("oracle", oracle),
        )
    )
    asserts = [f"    assert COMPARISON.agrees(candidate, {i})" for i in range(len(inputs))]
    return Tests(
        source="\n".join(["def check(candidate):", *asserts, ""]),
        style="check",
        helpers=f"{_comparison()}\n\nCOMPARISON = Comparison({arguments})\n",
    )


def _inputs(row: DataRow, key: str) -> list[object]:
    value = row.values.get(key) or []
    if not isinstance(value, list):
        raise row.error(f"{key!r} must be a list of argument lists")
    inputs = cast("list[object]", value)
    if not all(isinstance(arguments, list) for arguments in inputs):
        raise row.error(f"{key!r} must hold a list of arguments for each call")
    return inputs


def _tolerance(row: DataRow) -> float:
    value = row.values.get("atol") or 0
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise row.error(f"'atol' must be a number from 0, not {value!r}")
    return float(value)


def _particulars(row: DataRow, entry: str) -> tuple[tuple[str, ...], str]:
    """The conversions of a task's arguments, and the name of the rule that compares."""
    if not _is_mbpp(row):
        return ("as is",), "root" if entry == "find_zero" else ""
    number = row.identifier("task_id").rpartition("/")[2]
    shape = _SHAPE_OF.get(int(number), ("as is",)) if number.isdecimal() else ("as is",)
    return shape, _MBPP_ORACLE_OF.get(entry, "")


@cache
def _comparison() -> str:
    return Path(__file__).with_name("comparison.py").read_text(encoding="utf-8")
