"""Finds the strings and comments of Python source in linear time, even where it does not parse.

A prompt is often an incomplete file. `ast` refuses such a file, and `tokenize` gives up at places
that differ between versions of Python. Therefore this module has a scanner of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<comment>\#[^\n]*)
    | (?P<prefix>(?<![A-Za-z0-9_])[A-Za-z]{1,2})?(?P<mark>\"{3}|'{3}|"|')
    | (?P<define>(?<![A-Za-z0-9_])(?:def|class)[ \t]+(?P<name>\w+))
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<newline>\n)
    """,
    re.VERBOSE,
)
_TAILS = {
    '"""': re.compile(r'[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""', re.DOTALL),
    "'''": re.compile(r"[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''", re.DOTALL),
    '"': re.compile(r'[^"\\\n]*(?:\\.[^"\\\n]*)*"', re.DOTALL),
    "'": re.compile(r"[^'\\\n]*(?:\\.[^'\\\n]*)*'", re.DOTALL),
}
_STRING_PREFIXES = frozenset({"", "r", "u", "b", "f", "br", "rb", "fr", "rf"})
_PROSE_PREFIXES = frozenset({"", "r", "u"})


@dataclass(frozen=True, slots=True)
class Region:
    """A string or comment, as character offsets.

    Attributes:
        start, stop: the text between the delimiters.
        outer_start, outer_stop: the text with its delimiters.
        owner: the function or class defined last before it, or "".
        statement: True for a string or comment alone on its line, which readers read as prose.
        comment: True for a `#` comment, False for a string.
    """

    start: int
    stop: int
    outer_start: int
    outer_stop: int
    owner: str
    statement: bool
    comment: bool


def regions(source: str) -> tuple[Region, ...]:
    """Finds every string and comment in order; a docstring that is never closed runs to the end."""
    return tuple(_scan(source))


def blank_out(source: str) -> str:
    """Returns the source with NUL for each character of its strings and comments."""
    pieces: list[str] = []
    end = 0
    for region in regions(source):
        length = region.outer_stop - region.outer_start
        pieces += (source[end : region.outer_start], "\0" * length)
        end = region.outer_stop
    return "".join((*pieces, source[end:]))


def _scan(source: str) -> Iterator[Region]:
    # `line` is the start of the logical line: a newline inside brackets does not begin one.
    position, depth, line, owner = 0, 0, 0, ""
    while token := _TOKEN.search(source, position):
        position = token.end()
        if token["newline"]:
            line = position if depth == 0 else line
        elif token["open"]:
            depth += 1
        elif token["close"]:
            depth = max(0, depth - 1)
        elif token["define"]:
            # Brackets cannot hold a definition: if one is still open here, the code is broken.
            owner, depth = token["name"], 0
        else:
            fresh = depth == 0 and not source[line : token.start()].strip()
            region = _comment(token, owner, fresh) or _string(source, token, owner, fresh)
            if region is not None:
                position = region.outer_stop
                yield region


def _comment(token: re.Match[str], owner: str, fresh: bool) -> Region | None:
    if not token["comment"]:
        return None
    return Region(token.start() + 1, token.end(), token.start(), token.end(), owner, fresh, True)


def _string(source: str, token: re.Match[str], owner: str, fresh: bool) -> Region | None:
    prefix, mark = (token["prefix"] or "").lower(), token["mark"]
    if prefix not in _STRING_PREFIXES:
        return None
    tail = _TAILS[mark].match(source, token.end())
    if tail is None and len(mark) == 1:
        return None  # an apostrophe in broken code, not a string
    end = tail.end() if tail else len(source)
    stop = end - len(mark) if tail else end
    alone = fresh and prefix in _PROSE_PREFIXES and _ends_line(source, end)
    return Region(token.end(), stop, token.start(), end, owner, alone, False)


def _ends_line(source: str, position: int) -> bool:
    newline = source.find("\n", position)
    rest = source[position : newline if newline >= 0 else len(source)].strip()
    return not rest or rest.startswith("#")
