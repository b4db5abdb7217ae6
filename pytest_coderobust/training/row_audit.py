"""Audits a perturbed row of training data against its clean one.

The auditor of prompts reads code, examples, numbers and quoted texts. Training rows are freer, so
fenced code, code in backticks and identifiers are compared here too. Nothing of this uses the
anatomy that the perturbations draw from.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from coderobust_strategies.audit import audit, kinds
from coderobust_strategies.prompt.source import parse_tree
from pytest_coderobust.training.example import TrainingExample

_FENCED = re.compile(r"^[ \t]*(```|~~~)[^\n]*\n(.*?)(?:^[ \t]*\1|\Z)", re.MULTILINE | re.DOTALL)
_TICKED = re.compile(r"`[^`\n]+`")
_IDENTIFIER = re.compile(
    r"\b[A-Za-z]\w*_\w+\b|\b_\w+\b|\b[A-Za-z]+\d\w*\b|\b[A-Za-z_]\w*(?=\()"
    r"|\b[A-Za-z]+\.[A-Za-z_]\w*\("
)
_WORD = re.compile(r"\w+")


def audit_row(example: TrainingExample, texts: Sequence[str]) -> str:
    """Lists the kinds of damage in the texts of a perturbed prompt, or returns "".

    Args:
        texts: one for each passage of the example.
    """
    names = frozenset(_list_names(example))
    found: dict[str, None] = {}
    for passage, text in zip(example.passages, texts, strict=True):
        if passage.prose:
            found.update(dict.fromkeys(_compare(passage.text, text, names)))
        elif passage.text != text:
            found["passage"] = None
    return ", ".join(found)


def _compare(clean: str, variant: str, names: Iterable[str]) -> Iterator[str]:
    if clean == variant:
        return
    if damage := kinds(audit(clean, variant)):
        yield damage
    if not _same_fences(clean, variant):
        yield "fences"
    if not _holds(_list_marked(clean), _list_marked(variant)):
        yield "identifiers"
        return
    words, new = Counter(_WORD.findall(clean)), Counter(_WORD.findall(variant))
    if any(new[name] < words[name] for name in names):
        yield "identifiers"


def _same_fences(clean: str, variant: str) -> bool:
    """Whether fenced code is the same; a docstring in it is prose, and may differ."""
    old, new = (_FENCED.findall(text) for text in (clean, variant))
    return len(old) == len(new) and all(
        before == after or not kinds(audit(before, after))
        for (_, before), (_, after) in zip(old, new, strict=True)
    )


def _list_marked(text: str) -> list[str]:
    """Code in backticks, and words that only code has: with underscores, digits or a call."""
    return _TICKED.findall(text) + _IDENTIFIER.findall(text)


def _holds(wanted: Sequence[str], found: Iterable[str]) -> bool:
    """Whether the wanted items occur among those found, in their order."""
    remaining = iter(found)
    return all(item in remaining for item in wanted)


def _list_names(example: TrainingExample) -> Iterator[str]:
    """The arguments and functions that the code of a row names, where it is Python."""
    if example.entry_point:
        yield example.entry_point
    pieces = [*example.texts, example.answer]
    codes = [code for piece in pieces for _, code in _FENCED.findall(piece)]
    first = next((each.text for each in example.passages if each.prose), "")
    for code in (*codes, example.answer, first + example.answer):
        tree = parse_tree(code)
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.arg):
                yield node.arg
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node.name
