"""Knowledge cases of ordinary code: functions of the running Python's own library.

A case's input is the head of a function with its documentation, its target the lines that follow,
its neighbours the nearest functions of the same file. It has no rewrite: perturbed prompts take
their place.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from functools import lru_cache

from pytest_coderobust.editors.corpus import STDLIB, read_texts
from pytest_coderobust.knowledge.case_set import CaseSet
from pytest_coderobust.records.knowledge import KnowledgeCase

_LONGEST = 600
"""Most characters of a prompt."""

_SHORTEST = 40
_BODY = 160
"""Most characters of a target."""

_NEIGHBOURS = 5
_EACH = 3
"""Most cases of one file, so that no file decides."""


@lru_cache(maxsize=4)
def draw_library_cases(count: int, seed: int) -> CaseSet:
    """Draws cases from the library, the same ones for the same library, count and seed."""
    found: dict[str, KnowledgeCase] = {}
    random_order = random.Random(f"library cases {seed}")
    for text in read_texts(STDLIB, seed):
        functions = list(dict(_list_functions(text)).items())
        if len(functions) <= _NEIGHBOURS:
            continue
        places = random_order.sample(range(len(functions)), min(_EACH, len(functions)))
        for place in places:
            prompt, body = functions[place]
            neighbours = tuple(functions[at][0] for at in _find_beside(place, len(functions)))
            case = KnowledgeCase(f"library/{len(found)}", prompt, body, (), neighbours, "", "")
            found.setdefault(prompt, case)
            if len(found) == count:
                return CaseSet(STDLIB, tuple(found.values()))
    return CaseSet(STDLIB, tuple(found.values()))


def read_training_cases(train: str, count: int, seed: int) -> CaseSet:
    """Reads the cases that an option `train` names; `count` is the most of the library.

    Raises:
        UsageError, DataError, MissingExtra: as `read_case_set`.
    """
    from pytest_coderobust.knowledge.reading import read_case_set

    return draw_library_cases(count, seed) if train == STDLIB else read_case_set(train)


def _find_beside(place: int, count: int) -> list[int]:
    """Finds the nearest places of a file, the nearer first."""
    others = [at for at in range(count) if at != place]
    return sorted(others, key=lambda at: (abs(at - place), at))[:_NEIGHBOURS]


def _list_functions(text: str) -> Iterator[tuple[str, str]]:
    """Yields the head with documentation, and the lines behind, of a file's functions."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    lines = text.splitlines(keepends=True)
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or len(node.body) < 2 or not _documented(node):
            continue
        own = lines[node.lineno - 1 : node.end_lineno]
        indent = node.col_offset
        head = (node.body[0].end_lineno or node.lineno) - node.lineno + 1
        prompt, body = ("".join(line[indent:] or "\n" for line in part) for part in _cut(own, head))
        if _SHORTEST <= len(prompt) <= _LONGEST and body.strip():
            yield prompt, body[:_BODY]


def _documented(node: ast.FunctionDef) -> bool:
    first = node.body[0]
    return (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
        and node.body[1].lineno > (first.end_lineno or 0)
    )


def _cut(lines: list[str], place: int) -> tuple[list[str], list[str]]:
    return lines[:place], lines[place:]
