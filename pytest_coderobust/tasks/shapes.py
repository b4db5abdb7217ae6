"""Registry of task shapes: how rows are recognized by their keys and read as tasks.

A new shape is one file that reads a row, and one row in `SHAPES`. Another package brings one under
the entry-point group `coderobust.shapes` (see `pytest_coderobust.extensions`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_coderobust.errors import UnknownName, UsageError
from pytest_coderobust.extensions import read_rows
from pytest_coderobust.records import PromptForm, Task
from pytest_coderobust.tasks.apps import explain_left_out, read_apps, read_program
from pytest_coderobust.tasks.evalplus import read_evalplus
from pytest_coderobust.tasks.humaneval import read_humaneval
from pytest_coderobust.tasks.humaneval_x import read_humaneval_x
from pytest_coderobust.tasks.mbpp import KEYS as MBPP_KEYS
from pytest_coderobust.tasks.mbpp import read_mbpp
from pytest_coderobust.tasks.rows import DataRow

GROUP = "coderobust.shapes"


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape of rows.

    Attributes:
        name: what `format = "..."` in a suite calls it.
        keys: a row that has all of them is of this shape, unless an earlier shape takes it.
        read: makes the task of a row, in one of the forms "docstring" and "plain" if the shape
            has forms; raises DataError (`row.error`) where the row cannot be used.
        left_out: says why a row is not a task here, or ""; None where every row is one.
    """

    name: str
    keys: frozenset[str]
    read: Callable[[DataRow, PromptForm], Task]
    left_out: Callable[[DataRow], str] | None = None


SHAPES: tuple[Shape, ...] = (
    Shape("mbpp", MBPP_KEYS, read_mbpp),
    Shape("apps", frozenset({"question", "input_output"}), read_apps, explain_left_out),
    Shape(
        "humaneval-x",
        frozenset({"prompt", "declaration", "canonical_solution", "test"}),
        read_humaneval_x,
    ),
    Shape("program", frozenset({"prompt", "input_output"}), read_program, explain_left_out),
    Shape("evalplus", frozenset({"base_input", "canonical_solution"}), read_evalplus),
    Shape("humaneval", frozenset({"prompt", "entry_point", "test"}), read_humaneval),
)
"""Our shapes in the order in which a row is compared with them."""
_OWN: Mapping[str, Shape] = {shape.name: shape for shape in SHAPES}


def find_shape(row: DataRow) -> Shape:
    """Finds the shape of a row by its keys: one of ours, else one of an installed package.

    A row of an unknown shape is read as HumanEval's, so that the error says what it lacks.

    Raises:
        UsageError: a package's shape cannot be used.
    """
    keys = row.values.keys()
    for shape in SHAPES:
        if keys >= shape.keys:
            return shape
    # ours come first and import nothing, so that no package changes how a known row is read
    for name in read_rows(GROUP, Shape, _OWN):
        if name not in _OWN and keys >= (shape := named_shape(name)).keys:
            return shape
    return _OWN["humaneval"]


def named_shape(name: str) -> Shape:
    """Returns the shape that `format = name` asks for.

    Raises:
        UnknownName: there is none.
        UsageError: a package's shape cannot be used.
    """
    shapes = read_rows(GROUP, Shape, _OWN)
    if name not in shapes:
        raise UnknownName("task format", name, shapes)
    shape = shapes[name]
    if shape.name != name:
        raise UsageError(
            f"{GROUP}: the shape of the entry point {name!r} is called {shape.name!r}; "
            "both names must be the same"
        )
    return shape
