"""Arguments of calls, rewritten for functions that take them by name alone or in another order."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from pytest_coderobust.migration.spans import ByteSpan, SourceBytes, SpanEdit
from pytest_coderobust.records import ApiChange

_OPENING = re.compile(rb"[\s\\)]*\(")
_BLANK = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER)


def adapt_arguments(
    source: SourceBytes, call: ast.Call, change: ApiChange
) -> tuple[SpanEdit, ...] | None:
    """Makes the edits of one call; None where it cannot be rewritten.

    A call with `*arguments`, or with more of them than the change names, cannot.
    """
    by_position = call.args
    if any(isinstance(each, ast.Starred) for each in by_position):
        return None
    if len(by_position) > len(change.parameters):
        return None
    if not by_position:
        return ()
    spans = _find_arguments(source, call)
    if spans is None:
        return None
    if change.kind == "swapped" and len(by_position) > 1:
        first, second = spans[:2]
        return (SpanEdit(*first, moved=second), SpanEdit(*second, moved=first))
    named = zip(by_position, spans, change.parameters, strict=False)
    return tuple(
        edit for node, span, name in named for edit in _name_argument(source, node, span, name)
    )


def _name_argument(
    source: SourceBytes, node: ast.expr, span: ByteSpan, name: str
) -> Iterator[SpanEdit]:
    """Puts a name before an argument; a generator that has the call's own brackets gets some."""
    bare = isinstance(node, ast.GeneratorExp) and source.data[span[0] : span[0] + 1] != b"("
    yield SpanEdit(span[0], span[0], f"{name}={'(' if bare else ''}".encode())
    if bare:
        yield SpanEdit(span[1], span[1], b")")


def _find_arguments(source: SourceBytes, call: ast.Call) -> list[ByteSpan] | None:
    """Finds the arguments by position with the brackets around them; None where that fails."""
    opening = _OPENING.match(source.data, source.find_end(call.func))
    if opening is None:
        return None
    start = opening.end() - 1
    try:
        tokens = list(_list_tokens(source, start, source.find_end(call)))
    except (tokenize.TokenError, SyntaxError):
        return None
    firsts = {span[0]: at for at, span in enumerate(tokens)}
    lasts = {span[1]: at for at, span in enumerate(tokens)}
    found: list[ByteSpan] = []
    for node in call.args:
        first, last = firsts.get(source.find_start(node)), lasts.get(source.find_end(node))
        if first is None or last is None:
            return None
        if first == 0:  # a generator in the call's own brackets
            first, last = 1, last - 1
        while first > 1 and _reads(source, tokens[first - 1]) == b"(":
            if _reads(source, tokens[last + 1]) != b")":
                return None
            first, last = first - 1, last + 1
        found.append((tokens[first][0], tokens[last][1]))
    return found


def _reads(source: SourceBytes, span: ByteSpan) -> bytes:
    return source.data[span[0] : span[1]]


def _list_tokens(source: SourceBytes, start: int, end: int) -> Iterator[ByteSpan]:
    """Lists the tokens of a part of a source that begins with a bracket, but for comments."""
    # Lines end where Python's end: `splitlines` of text would see more ends than there are.
    lines = source.data[start:end].splitlines(keepends=True)
    starts = [start]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def locate(place: tuple[int, int]) -> int:
        row, column = place
        before = _decode(lines[row - 1])[:column]
        return starts[row - 1] + len(before.encode("utf-8", "surrogatepass"))

    text = io.StringIO("".join(map(_decode, lines)), newline="")
    for token in tokenize.generate_tokens(text.readline):
        if token.type not in _BLANK and token.string:
            yield locate(token.start), locate(token.end)


def _decode(line: bytes) -> str:
    return line.decode("utf-8", "surrogatepass")
