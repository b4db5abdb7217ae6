"""Arguments of calls, rewritten for functions that take them by name alone or in another order."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Sequence

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
    spans = list(_find_arguments(source, call))
    if len(spans) != len(by_position) + len(call.keywords):
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


def _find_arguments(source: SourceBytes, call: ast.Call) -> Iterator[ByteSpan]:
    """Finds the arguments of a call with the brackets around them, in the order of the source."""
    opening = _OPENING.match(source.data, source.find_end(call.func))
    if opening is None:
        return
    start, end = opening.end() - 1, source.find_end(call)
    text = source.data[start:end].decode("utf-8", "surrogatepass")
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    depth = 0
    held: list[tokenize.TokenInfo] = []
    for token in tokens:
        if depth == 1 and token.string in (",", ")") and token.type == tokenize.OP:
            if held:
                yield _cover(text, starts, start, held)
            held = []
        elif depth and token.type not in _BLANK:
            held.append(token)
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")


def _cover(
    text: str, starts: Sequence[int], base: int, tokens: Sequence[tokenize.TokenInfo]
) -> ByteSpan:
    """The bytes from the first token to the last."""
    (line, column), (last_line, last_column) = tokens[0].start, tokens[-1].end
    first, last = starts[line - 1] + column, starts[last_line - 1] + last_column
    size = len(text[:first].encode("utf-8", "surrogatepass"))
    return base + size, base + size + len(text[first:last].encode("utf-8", "surrogatepass"))
