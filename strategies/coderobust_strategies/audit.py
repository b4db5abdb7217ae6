"""Compares a variant with its clean prompt and reports damage to the meaning of the task.

The auditor does not use the anatomy, so that a mistake in `dissect` cannot hide itself here.
Python's own parser reads the code, and plain patterns read the description. The comparison is
literal: a paraphrase that says something else with the same numbers passes.

    parse      the clean prompt parses and the variant does not
    code       code, signature, entry point or comments outside the description differ
    examples   a doctest, a call or the value shown for it differs
    numbers    a number of the description differs
    literals   a quoted text of the description differs
    structure  line breaks or indents of the description differ (layout, not meaning)
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from coderobust_strategies.prompt.source import parse_tree

DamageKind = Literal["parse", "code", "examples", "numbers", "literals", "structure"]

_PYTHON = re.compile(
    r"^[ \t]*(?:async[ \t]+)?def[ \t]+\w+[ \t]*\(|^[ \t]*class[ \t][^\n{]*:[ \t]*$"
    r"|^(?:from[ \t][^\n;]*[ \t])?import[ \t][^\n;]*$|\A\s*(?:\"{3}|'{3})",
    re.MULTILINE,
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_QUOTED = re.compile(r'"[^"\n]*"|(?<!\w)\'[^\'\n]*\'(?!\w)')
_BRACKET = re.compile(r"[()\[\]{}]")
_LONGEST_CALL = 2000
_LONGEST_VALUE = 300
_CALL = re.compile(r"(?<!\w)[A-Za-z_]\w*\(")
_ARROW = re.compile(
    r"\s*(?:==+>?|=+>|-+>|=|➞|→|returns?\b|should\s+return\b|\#\s*(?:=>|returns)?)\s*"
)
_VALUE = re.compile(r"-?\s*\d+(?:\.\d+)?|\"[^\"\n]*\"|'[^'\n]*'|True|False|None|true|false")
_PROSE = re.compile(r"[A-Za-z]{2,}[ \t\n]+[A-Za-z]{2,}")
_C_LIKE = re.compile(r"^[ \t]*(?:/\*|//)", re.MULTILINE)
_C_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_UNPARSABLE = re.compile(r"[\0\ud800-\udfff]")
_TRIPLE = re.compile(r"\"{3}|'{3}")
_DOCTEST = re.compile(r"^[ \t]*>>>.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Damage:
    """One difference between a clean prompt and its variant.

    Attributes:
        kind: one of the kinds in the docstring of this module.
        detail: the text before and after. It comes from the prompts: never render it as markup.
    """

    kind: DamageKind
    detail: str


@dataclass(frozen=True, slots=True)
class _Source:
    description: str
    code: str | None  # None: does not parse


def audit(clean: str, variant: str) -> tuple[Damage, ...]:
    """Returns every difference between a clean prompt and its variant that is not prose.

    A variant that no longer parses has that one difference only.
    """
    before, after = _read(clean), _read(variant)
    if before.code is not None and after.code is None:
        return (Damage("parse", "the variant is not Python up to the signature"),)
    found: list[Damage] = []
    if before.code is not None and before.code != after.code:
        found.append(Damage("code", "code outside the description differs"))
    old, new = before.description, after.description
    found.extend(_examples(old, new))
    found.extend(_numbers(old, new))
    found.extend(_literals(old, new))
    if _indents(clean) != _indents(variant):
        found.append(Damage("structure", "line breaks or indents differ"))
    return tuple(found)


def is_damaged(found: Iterable[Damage]) -> bool:
    """Says whether any difference can change the task's meaning: all kinds but structure."""
    return any(damage.kind != "structure" for damage in found)


def kinds(found: Iterable[Damage]) -> str:
    """Lists the kinds of damage, structure left out, as text: "numbers, literals" or ""."""
    return ", ".join(dict.fromkeys(d.kind for d in found if d.kind != "structure"))


def _read(prompt: str) -> _Source:
    """Splits a prompt into its description and its code, by the parser of its language."""
    if not _PYTHON.search(prompt) and _C_LIKE.search(prompt):
        return _Source("\n".join(_C_COMMENT.findall(prompt)), _C_COMMENT.sub("/**/", prompt))
    if not _PYTHON.search(prompt):
        return _Source(_TRIPLE.sub("\n", prompt), "")
    prompt = _UNPARSABLE.sub("\ufffd", prompt)
    for tail in ("", "\n    pass\n"):  # a prompt may end at its signature, without a body
        tree = parse_tree(prompt + tail)
        if tree is None:
            continue
        descriptions: list[str] = []
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                descriptions.append(node.value.value)
                node.value.value = ""  # the dump below then holds the code alone
        return _Source("\n".join(descriptions), ast.dump(tree))
    return _Source(_TRIPLE.sub("\n", prompt), None)


def _examples(old: str, new: str) -> Iterator[Damage]:
    """Compares doctest lines, then calls with the value shown for each, in their order.

    In the variant only names count that the clean description calls. Otherwise "numbers (of"
    would read as a call once it has lost its space.
    """
    was, now = _DOCTEST.findall(old), _DOCTEST.findall(new)
    if was != now:
        yield Damage("examples", _difference(was, now))
        return
    calls = list(_calls(old))
    called = {name for name, _ in calls}
    was = [call for _, call in calls]
    now = [call for name, call in _calls(new) if name in called]
    if was != now:
        yield Damage("examples", _difference(was, now))


def _numbers(old: str, new: str) -> Iterator[Damage]:
    was, now = _NUMBER.findall(old), _NUMBER.findall(new)
    if was != now:
        yield Damage("numbers", _difference(was, now))


def _literals(old: str, new: str) -> Iterator[Damage]:
    """Compares how often each quoted text occurs; how quotation marks pair up does not matter."""
    for literal, count in Counter(_QUOTED.findall(old)).items():
        if new.count(literal) < count:
            yield Damage("literals", f"{literal!r} stands {new.count(literal)} times, not {count}")
            return


def _calls(text: str) -> Iterator[tuple[str, str]]:
    """Yields the name of each call, and its text without spaces with the value shown for it."""
    closed = _brackets(text)
    for match in _CALL.finditer(text):
        end = closed.get(match.end() - 1)
        if end is None or _PROSE.search(_QUOTED.sub("", text[match.end() : end])):
            continue
        arrow = _ARROW.match(text, end)
        rest = text[arrow.end() : arrow.end() + _LONGEST_VALUE].partition("\n")[0] if arrow else ""
        call = "".join(text[match.start() : end].split())
        shown = ("".join(value.split()) for value in _VALUE.findall(rest))
        yield match.group(), f"{call} {' '.join(shown)}"


def _brackets(text: str) -> dict[int, int]:
    """Maps the offset of each opening bracket to the end of its partner, whatever the kind."""
    open_: list[int] = []
    closed: dict[int, int] = {}
    for match in _BRACKET.finditer(text):
        if match.group() in "([{":
            open_.append(match.start())
        elif open_ and match.end() - open_[-1] <= _LONGEST_CALL:
            closed[open_.pop()] = match.end()
        elif open_:
            open_.pop()
    return closed


def _indents(prompt: str) -> list[str]:
    return [line[: len(line) - len(line.lstrip())] for line in prompt.splitlines() if line.strip()]


def _difference(was: list[str], now: list[str]) -> str:
    for old, new in zip(was, now, strict=False):
        if old != new:
            return f"{old!r} became {new!r}"
    return f"{len(was)} became {len(now)}"
