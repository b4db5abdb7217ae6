"""Comments, literals and names of C++ and Java source, in linear time, even where it is torn.

A prompt is an incomplete file and a completion may stop anywhere, so this is a scanner and no
parser: raw strings, text blocks, digit separators and continued lines are read as the compilers
read them (C++17, [lex]; Java SE 17, chapter 3).

Not covered: trigraphs, Java's escapes of whole tokens (a brace written backslash-u007d), branches
of `#if` that hold different numbers of braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

BracedLanguage = Literal["cpp", "java"]
LexemeKind = Literal["comment", "literal", "directive"]

_STARTS: dict[BracedLanguage, re.Pattern[str]] = {
    "cpp": re.compile(
        r"""(?P<comment>//|/\*) | (?P<quote>["'])
        | (?<!\w)(?:u8|[uUL])?R"(?P<raw>[^()\\\s"]{0,16})\(
        | (?P<number>(?<![\w.])\.?\d(?:'?[\w.])*)
        | ^[ \t]*(?P<directive>\#)""",
        re.VERBOSE | re.MULTILINE,
    ),
    "java": re.compile(
        r"""(?P<comment>//|/\*) | (?P<block>\"{3}(?=[ \t\f]*\n)) | (?P<quote>["'])""", re.VERBOSE
    ),
}
_DIRECTIVE = re.compile(r"[^\n\\/]*(?:(?:\\[\s\S]|/(?![/*]))[^\n\\/]*)*")
_STRING = re.compile(r'[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*"?')
_CHARACTER = re.compile(r"(?:[^'\\\n]|\\[^\n]){1,12}'")
_TEXT_BLOCK = re.compile(r'[^"\\]*(?:(?:\\[\s\S]|"(?!""))[^"\\]*)*(?:"{3})?')
_CPP = re.compile(
    r"^[ \t]*#[ \t]*(?:include|define|pragma)\b|\bstd::|\busing[ \t]+namespace\b", re.MULTILINE
)
_NAME = re.compile(r"[^\W\d]\w*")

_CPP_WORDS = """
    alignas alignof and asm break case catch class const constexpr const_cast continue decltype
    default delete do dynamic_cast else enum explicit export extern false for friend goto if
    inline mutable namespace new noexcept not nullptr operator or private protected public
    register reinterpret_cast return sizeof static static_assert static_cast struct switch
    template this thread_local throw true try typedef typeid typename union using virtual volatile
    while xor
"""
_JAVA_WORDS = """
    abstract assert break case catch class const continue default do else enum extends false final
    finally for goto if implements import instanceof interface native new null package private
    protected public return static strictfp super switch synchronized this throw throws transient
    true try volatile while
"""
KEYWORDS: dict[BracedLanguage, frozenset[str]] = {
    "cpp": frozenset(_CPP_WORDS.split()),
    "java": frozenset(_JAVA_WORDS.split()),
}
"""Reserved words that are no types: in a description they are plain words. Those that may be names
somewhere (`record`, `final` in C++) are left out, and one language's are names in the other."""

_SPECIAL = re.compile(
    r"""
      \w+(?:::\w+)*<[\w\s,:<>?&*\[\].]{1,120}>              # Map<String, List<Integer>>
    | \w+(?:\#|::)\w+(?:\([^()\n]{0,80}\))?                 # Solution#twice(int)
    | &(?:[A-Za-z]{2,8}|\#\d{1,6});                         # &lt;
    | (?<!\w)(?:(?:Integer|String|Double|Float|Long|Short|Byte|Boolean|Character|Object)s?
        | (?:Array|Linked)?List | (?:Hash|Tree)?(?:Map|Set) | Optional | BigInteger | BigDecimal
        | (?:int|long|size|wchar|u?int(?:8|16|32|64))_t | nullptr | boolean
        )(?!\w)                                             # types
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A comment, a string or character, or a line for the preprocessor, as character offsets."""

    start: int
    stop: int
    kind: LexemeKind


@dataclass(frozen=True, slots=True)
class CommentBody:
    """The text inside a comment that is the first on its line; lines of `//` are one body."""

    start: int
    stop: int
    block: bool


def guess_language(source: str) -> BracedLanguage:
    """Guesses the language of a file by its first marks; Java where there is none of C++'s."""
    return "cpp" if _CPP.search(source) else "java"


def scan(source: str, language: BracedLanguage, *, torn: bool = True) -> Iterator[Lexeme]:
    """Yields comments, literals and preprocessor lines in order.

    Args:
        torn: a comment that never ends runs to the end of the source; else only one that is the
            first on its line does, and a lone `/*` in a line of text opens nothing.
    """
    position = 0
    last = source.rfind("*/")
    while token := _STARTS[language].search(source, position):
        position = token.end()
        if token["comment"] == "/*" and last < position and not torn and not _opens(source, token):
            continue
        stop, kind = _end(source, token, language)
        if stop:
            position = stop
            yield Lexeme(token.start(), stop, kind)


def blank_braced(source: str, language: BracedLanguage) -> str:
    """Returns the source with NUL for each character of its comments, literals and directives."""
    pieces: list[str] = []
    end = 0
    for found in scan(source, language):
        pieces += (source[end : found.start], "\0" * (found.stop - found.start))
        end = found.stop
    return "".join((*pieces, source[end:]))


def comment_bodies(source: str) -> list[CommentBody]:
    """Lists the bodies of the comments that are the first on their lines."""
    found: list[CommentBody] = []
    for each in scan(source, guess_language(source), torn=False):
        if each.kind != "comment" or source[_line(source, each.start) : each.start].strip():
            continue
        body = _body(source, each)
        last = found[-1] if found else None
        if last and not (
            last.block or body.block or source[last.stop : body.start].strip(" \t\r\n/")
        ):
            found[-1] = CommentBody(last.start, body.stop, block=False)
        else:
            found.append(body)
    return found


def braced_names(code: str) -> frozenset[str]:
    """Collects the identifiers and types of code outside comments and literals."""
    language = guess_language(code)
    return frozenset(_NAME.findall(blank_braced(code, language))) - KEYWORDS[language]


def braced_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yields the stretches of a description that are types, references or entities."""
    for match in _SPECIAL.finditer(text):
        yield match.span()


def _end(source: str, token: re.Match[str], language: BracedLanguage) -> tuple[int, LexemeKind]:
    """Finds the end of what a token opens; 0 where it opens nothing."""
    position = token.end()
    kind = token.lastgroup
    if kind == "comment":
        return _comment_end(source, position, token["comment"], language), "comment"
    if kind == "quote":
        literal = _STRING if token["quote"] == '"' else _CHARACTER
        closed = literal.match(source, position)
        return closed.end() if closed else 0, "literal"
    if kind == "block":
        closed = _TEXT_BLOCK.match(source, position)
        return closed.end() if closed else 0, "literal"
    if kind == "raw":
        mark = f'){token["raw"]}"'
        close = source.find(mark, position)
        return close + len(mark) if close >= 0 else len(source), "literal"
    if kind == "directive":
        directive = _DIRECTIVE.match(source, position)
        return directive.end() if directive else 0, "directive"
    return 0, "literal"  # a number, whose separators are no quotation marks


def _comment_end(source: str, position: int, mark: str, language: BracedLanguage) -> int:
    if mark == "/*":
        close = source.find("*/", position)
        return close + 2 if close >= 0 else len(source)
    end = source.find("\n", position)
    while language == "cpp" and end > 0 and source[end - 1] == "\\":
        end = source.find("\n", end + 1)
    return end if end >= 0 else len(source)


def _line(source: str, position: int) -> int:
    """Finds the start of the line of a position."""
    return source.rfind("\n", 0, position) + 1


def _opens(source: str, token: re.Match[str]) -> bool:
    """Whether a token is the first on its line."""
    return not source[_line(source, token.start()) : token.start()].strip()


def _body(source: str, comment: Lexeme) -> CommentBody:
    """Takes the marks off a comment."""
    start, stop = comment.start + 2, comment.stop
    block = source[comment.start + 1] == "*"
    if block and source.endswith("*/", start, stop):
        stop -= 2
    mark = source[comment.start + 1]
    while start < stop and source[start] == mark:
        start += 1
    return CommentBody(start, stop, block)
