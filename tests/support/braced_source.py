"""Sources in C++ and Java made of pieces, so that it is known which part of them is code."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from coderobust_strategies.prompt.braced import BracedLanguage

SourcePiece = tuple[str, str]
"""A text and its kind, "" for code."""

LANGUAGES: list[BracedLanguage] = ["cpp", "java"]
ODD = "{}ab ;=(),.*/\\'\"R\t"
"""Characters that make trouble inside literals and comments."""
BALANCED = ["int x = 1;", "if (a < b)", "f(a, b[0]);", "\n", "\n    ", "{ }", "a = {1, 2};"]
UNBALANCED = [*BALANCED, "{", "}"]

_PLAIN = str.maketrans("", "", "\\/'\"R\t")
_line = st.text(ODD, max_size=12)
_block = st.text(ODD + "\n", max_size=20).map(lambda text: re.sub(r"\*/|\*\Z", "", text))


def _escape(quote: str, text: str) -> str:
    return text.replace("\\", "\\\\").replace(quote, "\\" + quote)


def _string(text: str) -> SourcePiece:
    return '"' + _escape('"', text) + '"', "literal"


def _character(text: str) -> SourcePiece:
    return "'" + _escape("'", text) + "'", "literal"


def _line_comment(text: str) -> SourcePiece:
    return f"//{text.rstrip(chr(92))} ", "comment"


def _block_comment(text: str) -> SourcePiece:
    return f"/*{text}*/", "comment"


def _raw_string(mark: str, text: str) -> SourcePiece:
    return f'R"{mark}({text.replace(f"){mark}", "")}){mark}"', "literal"


def _text_block(text: str) -> SourcePiece:
    return '"""\n' + _escape('"', text) + '"""', "literal"


def _directive(text: str) -> SourcePiece:
    return "#define X {" + text.translate(_PLAIN) + " ", "directive"


def draw_pieces(
    language: BracedLanguage, code: list[str], *, unusual: bool = True
) -> st.SearchStrategy[list[SourcePiece]]:
    """Draws pieces of source.

    Args:
        code: the code to draw from.
        unusual: with digit separators and directives, of which pygments knows too little.
    """
    common = [
        st.sampled_from(code).map(lambda text: (text, "")),
        _line.map(_string),
        st.sampled_from(ODD).map(_character),
        _line.map(_line_comment),
        _block.map(_block_comment),
    ]
    if language == "java":
        return st.lists(st.one_of(*common, _block.map(_text_block)), max_size=12)
    own = [st.builds(_raw_string, st.sampled_from(["", "x", "--"]), _block)]
    if unusual:
        numbers = st.sampled_from(["1'000", "0x'f", "1'0.5e3"])
        own += [numbers.map(lambda text: (f" {text} ", "")), _line.map(_directive)]
    return st.lists(st.one_of(*common, *own), max_size=12)


def join_pieces(pieces: list[SourcePiece]) -> tuple[str, list[tuple[int, int, str]]]:
    """Joins pieces to a source; returns it with the spans of all that is no code."""
    source, spans = "", list[tuple[int, int, str]]()
    for text, kind in pieces:
        source += "\n" if kind == "directive" else " "  # a directive begins its line
        if kind:
            spans.append((len(source), len(source) + len(text), kind))
        ends_line = kind == "directive" or (kind == "comment" and text.startswith("//"))
        source += text + ("\n" if ends_line else "")
    return source, spans
