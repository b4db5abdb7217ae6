"""Protected spans: stretches of prose in which every letter matters. No edit may touch them.

They are identifiers, calls, subscripts, numbers, operators with their operands, quoted text,
constants, types, URLs, paths and escape sequences. Time is linear in the length of the prose,
because prompts come from data sets and may be hostile.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterable, Iterator

from coderobust_strategies.prompt.docstrings import blank_out

Span = tuple[int, int]

_FIXED = re.compile(
    r"""
      (?:https?|ftp|file)://\S+ | www\.\S+                  # URL
    | [@$]\w+                                               # tag, shell variable
    | ``[^`\n]{1,200}`` | `[^`\n]{1,200}`                   # code in backticks
    | \\?"[^"\n]*" | \u201c[^\u201d\n]*\u201d | «[^»\n]*»         # quoted text
    | \u2018[^\u2019\n]{0,80}\u2019(?!\w)
    | (?<![\w'])\\?'[^'\n]{0,200}'(?!\w)
    | \\[\s\S]                                              # escape sequence
    | (?<!\d)\d+(?:[.,:/]\d+)+                              # 1,000 and 12:30
    | <[A-Za-z][\w -]{0,30}>                                # placeholder
    """,
    re.VERBOSE,
)
_COMPOUND = re.compile(r"\w+(?:(?:[.'\u2019/\\@-]|::)\w+)*")
_PART = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"[a-z][A-Z]")
_LITERALS = frozenset({"true", "false", "none", "null", "nil", "nan", "inf", "void"})
_TYPES = re.compile(
    r"(?:int|str|bool|dict|char)s?|u?int\d*|std"
    r"|Any|Callable|Dict|Iterable|List|Mapping|Optional|Sequence|Set|Tuple|Union"
)
_OPERATOR = re.compile(
    r"[<>≤≥≠≈]=?|[=!:]=+|=|(?<=[\w)\]][ ])[+*^|%&]{1,2}|(?<=[\w)\]])[+*^|%&]{1,2}"
)
_LEFT = re.compile(r"\w{1,60}[ \t]{0,3}$")
_RIGHT = re.compile(r"[ \t]{0,3}\w{1,60}")
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_CLOSERS = {closer: opener for opener, closer in _BRACKETS.items()}
_BRACKET = re.compile(r"[()\[\]{}\n]")
_SHOWN = re.compile(
    r"\s+(?:should\s+|must\s+|will\s+)?(?:return|give|be|equal|yield|output)s?\s+"
    r"-?(?=[\d\"'\[({]|True\b|False\b|None\b)"
)
_LONGEST_BRACKET = 400
_NAME = re.compile(r"[^\W\d]\w*")


def names_in(code: str) -> frozenset[str]:
    """Collects the identifiers of Python source outside strings and comments, except keywords."""
    return frozenset(_NAME.findall(blank_out(code))) - frozenset(keyword.kwlist)


def protected_spans(text: str, names: Collection[str]) -> tuple[Span, ...]:
    """Finds the spans of one stretch of prose that must not change, sorted and disjoint."""
    spans = [match.span() for match in _FIXED.finditer(text)]
    # What is protected already is masked: an operator inside a quoted text has no operands.
    spans.extend(_operations(_FIXED.sub(_mask, text)))
    spans.extend(_brackets(text))
    for match in _COMPOUND.finditer(text):
        spans.extend(_protect_compound(match, names))
    return merge(spans)


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Joins spans that overlap or touch; the result is sorted and covers the same characters."""
    merged: list[Span] = []
    for start, stop in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return tuple(merged)


def _protect_compound(match: re.Match[str], names: Collection[str]) -> Iterator[Span]:
    """Protects a dotted, hyphenated or plain token whole, or those of its parts that are names."""
    token, start = match.group(), match.start()
    parts = list(_PART.finditer(token))
    joined = token.replace("'", "").replace("\u2019", "")
    if (
        token in names
        or any(mark in joined for mark in "._@\\:")
        or any(character.isdigit() for character in token)
        or ("-" in token and any(len(part.group()) == 1 for part in parts))
        or token[1:2] in {"'", "\u2019"}  # b's, n'th
        or _CAMEL.search(token)
    ):
        yield match.span()
        return
    for part in parts:
        word = part.group()
        if (
            word in names
            or word.lower() in _LITERALS
            or _TYPES.fullmatch(word)
            or _is_acronym(word)
        ):
            yield start + part.start(), start + part.end()


def _is_acronym(word: str) -> bool:
    return len(word) > 1 and word.isupper()


def _mask(match: re.Match[str]) -> str:
    return "\0" * len(match.group())


def _operations(text: str) -> Iterator[Span]:
    """Yields each operator with the operands beside it: `x - x_mean`, `> 3.7`, `MAD = average`."""
    for match in _OPERATOR.finditer(text):
        left = _LEFT.search(text, max(0, match.start() - 64), match.start())
        right = _RIGHT.match(text, match.end())
        yield left.start() if left else match.start(), right.end() if right else match.end()


def _brackets(text: str) -> Iterator[Span]:
    """Yields calls and subscripts with all they hold, and every list or set on one line."""
    open_: list[tuple[str, int]] = []
    for match in _BRACKET.finditer(text):
        mark = match.group()
        if mark == "\n":
            open_.clear()  # a bracket closes on its own line, or it is not code
        elif mark in _BRACKETS:
            open_.append((mark, match.start()))
        elif open_ and open_[-1][0] == _CLOSERS[mark]:
            _, start = open_.pop()
            if match.end() - start <= _LONGEST_BRACKET:
                yield from _protect_brackets(text, mark, start, match.end())


def _protect_brackets(text: str, closer: str, start: int, stop: int) -> Iterator[Span]:
    name = _LEFT.search(text, max(0, start - 64), start)
    attached = name is not None and not name.group()[-1].isspace()
    if attached and name is not None:
        # An example inside a sentence ("f(1) should return 2"): the verb is protected with it.
        shown = _SHOWN.match(text, stop)
        yield name.start(), shown.end() if shown else stop
    elif closer != ")":
        yield start, stop
