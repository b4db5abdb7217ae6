"""Spans of bytes in a source: where nodes stand, and edits that leave everything else as it was."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

ByteSpan: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SpanEdit:
    """The replacement of one span, by a text or by what another span becomes.

    Attributes:
        start, end: the span; an empty one inserts.
        text: what takes its place.
        moved: the span whose content, itself edited, takes its place.
    """

    start: int
    end: int
    text: bytes = b""
    moved: ByteSpan | None = None


class SourceBytes:
    """A source as bytes, with the offsets of its lines as Python counts them."""

    def __init__(self, source: str) -> None:
        self.data = source.encode("utf-8", "surrogatepass")
        self._starts = [0]
        for line in self.data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def find_start(self, node: ast.expr | ast.stmt | ast.alias) -> int:
        """Finds where a node begins."""
        return self._starts[node.lineno - 1] + node.col_offset

    def find_end(self, node: ast.expr | ast.stmt | ast.alias) -> int:
        """Finds where a node ends."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    def find_line(self, at: int) -> ByteSpan:
        """Finds the line that an offset lies in, without its end."""
        start = max(each for each in self._starts if each <= at)
        line = self.data[start:].splitlines()
        return start, start + (len(line[0]) if line else 0)

    def read_indent(self, at: int) -> bytes | None:
        """Reads the white space before an offset; None where something else stands there too."""
        before = self.data[self.find_line(at)[0] : at]
        return None if before.strip() else before

    def apply(self, edits: Iterable[SpanEdit]) -> str:
        """Makes the source with every edit in it."""
        # Of edits that begin together insertions come first, and then the longest.
        ordered = sorted(set(edits), key=lambda e: (e.start, e.end > e.start, -e.end, e.text))
        return self._render((0, len(self.data)), ordered).decode("utf-8", "surrogatepass")

    def _render(self, span: ByteSpan, edits: Sequence[SpanEdit]) -> bytes:
        """Makes one span; of edits that lie in one another the outer one decides."""
        out: list[bytes] = []
        at = span[0]
        for edit in edits:
            if edit.start < at or edit.end > span[1]:
                continue
            if edit.moved is not None and (edit.start, edit.end) == span:
                continue  # this content is on its way to another place
            inner = b"" if edit.moved is None else self._render(edit.moved, edits)
            out += [self.data[at : edit.start], edit.text, inner]
            at = edit.end
        return b"".join([*out, self.data[at : span[1]]])
