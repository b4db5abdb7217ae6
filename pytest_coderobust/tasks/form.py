"""The forms a prompt of MBPP takes: a function to complete, or a description with its asserts.

The docstring form is CREME's: imports, the gold `def` line, and a docstring of the description
with one `>>> call` / value pair for each assert that is `call == value`; the other asserts
are in it as they are. The plain form is a module docstring of description and asserts, so
that prompt and completion together are a program, whatever completes it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from pytest_coderobust.tasks.gold import Gold
from pytest_coderobust.tasks.program import parse

_UNWRITABLE = re.compile("[\x00\x0c\r\ud800-\udfff]")
"""Characters that Python source cannot hold, or not unchanged."""


def make_examples(asserts: Sequence[str], entry: str) -> tuple[str, ...]:
    """Makes the docstring's lines for the asserts of a task."""
    return tuple(line for test in asserts for line in _example(test, entry))


def write_docstring_prompt(gold: Gold, description: str, shown: Sequence[str]) -> str:
    """Writes the prompt that a function's body continues."""
    docstring = _literal([*_lines(description), *shown], gold.indent)
    return f"{write_preamble(gold)}{gold.header}\n{gold.indent}{docstring}\n"


def write_docstring_canonical(gold: Gold) -> str:
    """Writes the continuation of the docstring form that solves the task."""
    return gold.body + (f"\n\n{gold.after}\n" if gold.after else "")


def write_plain_prompt(description: str, asserts: Sequence[str]) -> str:
    """Writes the prompt that a whole program continues."""
    lines = [*_lines(description), *(line for test in asserts for line in _lines(test))]
    return _literal(lines, "") + "\n"


def write_preamble(gold: Gold) -> str:
    """Writes the part before the function in the docstring form."""
    return f"{gold.before}\n\n\n" if gold.before else ""


def is_example(test: str, entry: str) -> bool:
    """Tells whether an assert is `call == value` for a call of the entry point."""
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
    """A string literal that shows the lines as they are, with escapes only where they must be."""
    text = f"\n{indent}".join(lines)
    quotes = '"""' if '"""' not in text else "'''"
    escape = quotes in text or _UNWRITABLE.search(text) is not None
    if escape:
        text = text.replace("\\", "\\\\").replace(quotes, "\\" + "\\".join(quotes))
        text = _UNWRITABLE.sub(_escape, text)
    raw = "r" if "\\" in text and not escape else ""
    return f"{raw}{quotes}{text}\n{indent}{quotes}"


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
