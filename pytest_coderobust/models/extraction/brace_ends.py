"""The ends of functions and classes in a text of braces, found in one pass."""

from __future__ import annotations

import re
from dataclasses import dataclass

from coderobust_strategies.prompt.braced import BracedLanguage, blank_braced

_MARK = re.compile(r"[{};]")
_GOES_ON = re.compile(r"[\s\0]*[.,)\]:?]|[ \t\0]*[*+/&|=<>-]")
"""Matches what follows a brace that ends no member: an initial value or a lambda goes on.

On another line, operators are marks of prose."""
_MODIFIERS = "public protected private static final abstract transient volatile native default"
_MODIFIER = rf"(?:synchronized|{'|'.join(_MODIFIERS.split())})"
_ANNOTATION = r"@[\w.]+(?:[ \t]*\([^;{}()@]*(?:\([^;{}()@]*\)[^;{}()@]*)*\))?"
_ARRAY = r"(?:\s*\[\s*\])*"
_FIELDS: dict[BracedLanguage, re.Pattern[str]] = {
    "cpp": re.compile(""),
    "java": re.compile(
        rf"[\s\0]*(?:;|(?:(?:{_MODIFIER}\b|{_ANNOTATION})[\s\0]*)*(?:<[^;{{}}=]*?>\s*)?"
        rf"[\w.]+(?:\s*<[^;{{}}=]*?>)?{_ARRAY}\s+\w+{_ARRAY}[\s\0]*[=,;(])"
    ),
}
"""Matches how a member that ends in a semicolon begins; prose may have semicolons, too. In C++ such
a member has many forms."""


@dataclass(frozen=True, slots=True)
class BraceEnds:
    """The places where a text ends what was open, as character offsets.

    Attributes:
        closed: behind the brace that closes all; None where none does.
        member: behind the last function, class or field that ends at the outer depth; None for
            none.
        depth: braces that are open at the end of the text.
    """

    closed: int | None
    member: int | None
    depth: int


def measure_depth(blank: str, stop: int) -> int:
    """Counts the braces that are open at a place of a text whose literals are blank."""
    return blank.count("{", 0, stop) - blank.count("}", 0, stop)


def find_ends(
    blank: str, since: int, outer: int, floor: int, language: BracedLanguage
) -> BraceEnds:
    """Finds the ends behind a place of a text whose comments and literals are blank.

    Args:
        since: ends before this offset do not count.
        outer: the depth of the function that is completed, seen from outside: 0 for one at the
            margin, 1 for a method.
        floor: the depth at which everything is closed.
    """
    depth, member, prose = 0, None, False
    for mark in _MARK.finditer(blank):
        depth += {"{": 1, "}": -1, ";": 0}[mark[0]]
        if mark.start() < since:
            continue
        if depth <= floor and mark[0] == "}":
            return BraceEnds(mark.end(), member, depth)
        if depth != outer or (prose and mark[0] == ";"):
            continue
        if _ends_member(blank, mark, member, language):
            member, prose = mark.end(), False
        else:
            # No field begins behind that member, so no later semicolon ends one.
            prose = prose or mark[0] == ";"
    return BraceEnds(None, member, depth)


def close_scopes(text: str, depth: int, language: BracedLanguage) -> str:
    """Closes the classes around a function whose text has ended."""
    closing = "};\n" if language == "cpp" else "}\n"
    return f"{text}\n{closing * depth}"


def blank_literals(source: str, language: str) -> str:
    """Returns the source with its comments and literals blank, offsets kept."""
    return blank_braced(source, "cpp" if language == "cpp" else "java")


def _ends_member(
    blank: str, mark: re.Match[str], before: int | None, language: BracedLanguage
) -> bool:
    """Whether a mark at the outer depth ends a member.

    Args:
        before: the end of the member before it; None for none.
    """
    if mark[0] == ";":
        return before is None or _FIELDS[language].match(blank, before, mark.end()) is not None
    return not _GOES_ON.match(blank, mark.end())
