"""The forms a prompt of MBPP takes: a function to complete, or a description with its asserts.

The docstring form is CREME's: imports, the gold `def` line, and a docstring of the description
with one `>>> call` / value pair for each assert that is `call == value`; the other asserts
stand in it as they are. The plain form is a module docstring of description and asserts, so
that prompt and completion together are a program whoever completes it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from pytest_coderobust.tasks.gold import Gold
from pytest_coderobust.tasks.program import parse

_UNWRITABLE = re.compile("[\x00\x0c\r\ud800-\udfff]")
"""What cannot stand in Python source, or not unchanged."""


def examples(asserts: Sequence[str], entry: str) -> tuple[str, ...]:
    """The docstring's lines for the asserts of a task."""
    return tuple(line for test in asserts for line in _example(test, entry))


def docstring_prompt(gold: Gold, description: str, examples: Sequence[str]) -> str:
    """The prompt that a function's body continues."""
    docstring = _literal([*_lines(description), *examples], gold.indent)
    return f"{preamble(gold)}{gold.header}\n{gold.indent}{docstring}\n"


def docstring_canonical(gold: Gold) -> str:
    """The continuation of the docstring form that solves the task."""
    return gold.body + (f"\n\n{gold.after}\n" if gold.after else "")


def plain_prompt(description: str, asserts: Sequence[str]) -> str:
    """The prompt that a whole program continues."""
    lines = [*_lines(description), *(line for test in asserts for line in _lines(test))]
    return _literal(lines, "") + "\n"


def preamble(gold: Gold) -> str:
    """What stands before the function in the docstring form."""
    return f"{gold.before}\n\n\n" if gold.before else ""


def is_example(test: str, entry: str) -> bool:
    """Whether an assert is `call == value` for a call of the entry point."""
    return _pair(test, entry) is not None


def _example(test: str, entry: str) -> list[str]:
    pair = _pair(test, entry)
    if pair is None:
        return _lines(test)
    call, value = pair
    first, *more = _lines(call)
    return [f">>> {first}", *(f"... {line}" for line in more), *_lines(value)]


def _pair(test: str, entry: str) -> tuple[str, str] | None:
    tree = parse(test)
    statement = tree.body[0] if tree and len(tree.body) == 1 else None
    if not isinstance(statement, ast.Assert):
        return None
    compare = statement.test
    if not isinstance(compare, ast.Compare) or len(compare.ops) != 1:
        return None
    call, value = compare.left, compare.comparators[0]
    if not isinstance(compare.ops[0], ast.Eq) or not _calls(call, entry):
        return None
    segments = ast.get_source_segment(test, call), ast.get_source_segment(test, value)
    return (segments[0], segments[1]) if segments[0] and segments[1] else None


def _calls(node: ast.expr, entry: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == entry


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").strip("\n").split("\n")


def _literal(lines: Sequence[str], indent: str) -> str:
    """A string literal of the lines, written so that a reader sees them as they are."""
    text = f"\n{indent}".join(lines)
    quotes = '"""' if '"""' not in text else "'''"
    escape = quotes in text or _UNWRITABLE.search(text) is not None
    if escape:
        text = text.replace("\\", "\\\\").replace(quotes, "\\" + "\\".join(quotes))
        text = _UNWRITABLE.sub(_escaped, text)
    raw = "r" if "\\" in text and not escape else ""
    return f"{raw}{quotes}{text}\n{indent}{quotes}"


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
