"""Top-level blocks of Python text, and the names that each block binds and needs.

The text may be broken: truncated, or code followed by prose. So a scanner that knows only strings,
brackets and columns cuts the blocks in one pass, and each block alone is checked for being valid
Python. Both take time linear in the text.
"""

from __future__ import annotations

import re
import symtable
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_QUOTES = ("'", '"', "'''", '"""')
_TOKEN = re.compile(r"""\#|'''|\"""|'|"|[(\[{]|[)\]}]""")
_FLAT = r"""[^\\#'"(){}\[\]]*"""
_CLOSED = rf"[(\[{{]{_FLAT}[)\]}}]"
_PLAIN = re.compile(rf"{_FLAT}(?:[(\[{{]{_FLAT}(?:{_CLOSED}{_FLAT})*[)\]}}]{_FLAT})*\Z")
"""Matches a line without strings, comments and a backslash, whose brackets are closed in turn."""
_CLOSING = {quote: re.compile(r"\\.|" + re.escape(quote), re.S) for quote in _QUOTES}
_STARTS_ANEW = re.compile(r"(?:async\s+def|def|class|import|from)\s|@\w")
_GOES_ON = re.compile(r"(?:elif|else|except|finally)\b")
_DECORATOR = re.compile(r"\s*@")
_quiet: ContextVar[bool] = ContextVar("quiet", default=False)
_AT_ONCE = ("genexpr", "listcomp", "setcomp", "dictcomp")


_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)
"""Errors of Python's own parser on text that is not valid Python, or that is built to hurt it."""


@dataclass(frozen=True, slots=True)
class BlockNames:
    """Module-level names of a piece of source.

    Attributes:
        bound: those it binds.
        needed: those it looks up, now or when something in it is called.
        runs: those of them that it looks up as it is loaded.
    """

    bound: frozenset[str]
    needed: frozenset[str]
    runs: frozenset[str]


class _Scanner:
    """Follows strings and brackets through lines of Python."""

    def __init__(self) -> None:
        self.quote = ""
        self.depth = 0
        self.continued = False

    @property
    def at_statement(self) -> bool:
        """Whether the next line may start a statement."""
        return not (self.quote or self.depth or self.continued)

    def feed(self, line: str) -> None:
        self.continued = False
        if not self.quote and _PLAIN.match(line):
            return
        place = 0
        while True:
            if self.quote:
                end = self._string_end(line, place)
                if end < 0:
                    return
                place = end
            token = _TOKEN.search(line, place)
            if token is None or token[0] == "#":
                self.continued = token is None and line.endswith("\\")
                return
            place = token.end()
            self._take(token[0])

    def _take(self, mark: str) -> None:
        if mark in "([{":
            self.depth += 1
        elif mark in ")]}":
            self.depth = max(0, self.depth - 1)
        else:
            self.quote = mark

    def _string_end(self, line: str, place: int) -> int:
        """Finds where the open string ends in this line; -1 where it goes on."""
        for found in _CLOSING[self.quote].finditer(line, place):
            if found[0] == self.quote:
                self.quote = ""
                return found.end()
        if len(self.quote) == 1 and not line.endswith("\\"):
            self.quote = ""  # an apostrophe in prose, or a broken string: it ends with its line
        return -1


def split_blocks(text: str) -> list[str]:
    """Cuts text into top-level statements, each with the comments and blank lines after it.

    The pieces joined are the text. Text before the first statement is a piece of its own, the
    first one, maybe empty.
    """
    pieces: list[list[str]] = [[]]
    scanner = _Scanner()
    for line in text.split("\n"):
        if scanner.depth and not scanner.quote and _STARTS_ANEW.match(line):
            scanner.depth = 0  # an unbalanced bracket before it, in prose or in broken code
        if _is_statement(line) and scanner.at_statement and not _joins(line, pieces[-1]):
            pieces.append([])
        pieces[-1].append(line)
        scanner.feed(line)
    blocks = ["".join(f"{line}\n" for line in piece) for piece in pieces]
    blocks[-1] = blocks[-1][:-1]
    return blocks


def names_of(source: str) -> BlockNames | None:
    """Reads the names of a piece of source; None when it is not valid Python."""
    try:
        top = _symbols(source)
    except _UNREADABLE:
        return None
    symbols = top.get_symbols()
    bound = {s.get_name() for s in symbols if _is_bound(s)}
    runs = {s.get_name() for s in symbols if s.is_referenced()}
    needed = set(runs)
    inner = [(table, True) for table in top.get_children()]
    while inner:
        table, loaded = inner.pop()
        loaded = loaded and (table.get_type() == "class" or table.get_name() in _AT_ONCE)
        if isinstance(table, symtable.Function):
            names = set(table.get_globals())
        else:
            names = {s.get_name() for s in table.get_symbols() if s.is_global()}
        needed |= names
        runs |= names if loaded else set()
        inner.extend((child, loaded) for child in table.get_children())
    return BlockNames(frozenset(bound), frozenset(needed), frozenset(runs))


def is_python(source: str, binds: str = "") -> bool:
    """Tells whether source is valid Python, and binds a name at its top level.

    Names are not listed for that: symtable looks at every function for each of them.
    """
    try:
        top = _symbols(source)
    except _UNREADABLE:
        return False
    return not binds or (binds in top.get_identifiers() and _is_bound(top.lookup(binds)))


def _is_bound(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported()


def broken_line(source: str) -> int | None:
    """Finds the line, from 1, at which Python stops reading; None where it does not say."""
    try:
        _symbols(source)
    except SyntaxError as error:
        return error.lineno
    except _UNREADABLE:
        return None
    return None


@contextmanager
def quiet_parser() -> Generator[None]:
    """Context in which Python's parser is silent about somebody else's escapes.

    Contexts inside it cost nothing, where setting filters takes as long as to parse a function.
    """
    if _quiet.get():
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        token = _quiet.set(True)
        try:
            yield
        finally:
            _quiet.reset(token)


def _symbols(source: str) -> symtable.SymbolTable:
    if _quiet.get():
        return symtable.symtable(source, "solution", "exec")
    with quiet_parser():
        return symtable.symtable(source, "solution", "exec")


def _is_statement(line: str) -> bool:
    return bool(line) and not line[0].isspace() and line[0] != "#"


def _joins(line: str, piece: Sequence[str]) -> bool:
    """Whether a line at the margin goes on with the piece: an else, or what a decorator adorns."""
    if _GOES_ON.match(line):
        return True
    last = next((before for before in reversed(piece) if before.strip()), "")
    return _DECORATOR.match(last) is not None and last[0] == "@"
