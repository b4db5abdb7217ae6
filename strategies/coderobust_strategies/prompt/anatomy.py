"""The anatomy of a prompt: its code, prose and examples, and the words that may change.

Segments cover the prompt without gap or overlap. Joined they give it back byte for byte. There are
four forms of prompt:

    python   the docstring of the entry point is prose, everything else is code; source without
             any docstring has its comments (`#`) as prose
    comment  the last C-style comment (`//`, `/* */`) is prose; earlier ones describe helpers
    chat     text with fenced code; a docstring inside the code is prose too
    text     all of it is prose

Not covered: docstrings of helper functions (they count as code), words of other scripts (only words
of ASCII letters are eligible), reStructuredText directives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from coderobust_strategies.prompt.braced import braced_names, braced_spans, comment_bodies
from coderobust_strategies.prompt.docstrings import Region, regions
from coderobust_strategies.prompt.examples import example_lines
from coderobust_strategies.prompt.protection import Span, merge, names_in, protected_spans

SegmentKind = Literal["code", "prose", "example"]
PromptShape = Literal["python", "comment", "chat", "text"]

_PYTHON = re.compile(
    r"^[ \t]*(?:(?:async[ \t]+)?def[ \t]+\w+[ \t]*\(|class[ \t]+\w+[ \t]*(?:\([^\n]*\))?:[ \t]*$)",
    re.MULTILINE,
)
_IMPORT = re.compile(r"\s*(?:from[ \t]+[\w.]+[ \t]+import\b|import[ \t]+\w|@\w|#|\"\"\"|''')")
_FENCED = re.compile(
    r"^(?:```|~~~)[^\n]*\n(?P<body>.*?)(?:^(?:```|~~~)[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)
_LINE_LEAD = re.compile(r"[ \t]*(?:\*(?!\w)|//+|#+)?[ \t]*")
_LINE_BREAK = re.compile(r"[ \t\r]*\n[ \t]*(?:\*(?!\w)|//+|#+)?[ \t]*")
_QUOTED_WORD = re.compile(r"""(?P<quote>["'])(?P<word>[A-Za-z]{2,40})(?P=quote)""")
_WORD = re.compile(r"(?<![\w'\u2019])[A-Za-z]+(?:['\u2019][A-Za-z]+)*(?![\w'\u2019]*\w)")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a prompt, as character offsets."""

    start: int
    stop: int
    kind: SegmentKind


@dataclass(frozen=True, slots=True)
class Word:
    """An eligible word of the prose: ASCII letters, at least two, in no protected span."""

    start: int
    stop: int
    text: str


@dataclass(frozen=True, slots=True)
class Anatomy:
    """A prompt and its parts.

    Attributes:
        segments: the segments in order; joined they are the prompt.
        protected: sorted, disjoint spans inside prose that no edit may touch.
        words: the eligible words in order.
        names: the identifiers of the prompt's code and of the canonical solution if it was given.
            Words in quotation marks count as names too: the description may mean that exact value.
    """

    prompt: str
    form: PromptShape
    segments: tuple[Segment, ...]
    protected: tuple[Span, ...]
    words: tuple[Word, ...]
    names: frozenset[str]

    def text(self, part: Segment | Word) -> str:
        return self.prompt[part.start : part.stop]


@lru_cache(maxsize=512)
def dissect(prompt: str, entry_point: str = "", code: str = "") -> Anatomy:
    """Takes a prompt apart.

    Args:
        entry_point: the function whose docstring is the description. Without it, the last
            function's docstring is.
        code: the canonical solution, read for identifiers only.
    """
    form, prose, sources = _form(prompt, entry_point)
    segments = tuple(_segments(prompt, prose))
    read_names = braced_names if form == "comment" else names_in
    names = read_names("\n".join((*sources, code))) | {entry_point} | _literals(prompt + code)
    protected: list[Span] = []
    words: list[Word] = []
    for segment in segments:
        if segment.kind == "prose":
            text = prompt[segment.start : segment.stop]
            special = braced_spans(text) if form == "comment" else ()
            spans = merge((*protected_spans(text, names), *special, *_layout(text)))
            protected.extend((segment.start + a, segment.start + b) for a, b in spans)
            words.extend(_words(text, segment.start, spans))
    return Anatomy(prompt, form, segments, tuple(protected), tuple(words), names)


def _form(prompt: str, entry_point: str) -> tuple[PromptShape, list[Span], list[str]]:
    """Finds the form of a prompt, the spans of its description, and its pieces of code."""
    definition, fence = _PYTHON.search(prompt), _FENCED.search(prompt)
    # A fence after the first definition is most likely part of a docstring of Python source.
    if fence and (definition is None or fence.start() <= definition.start()):
        return "chat", *_chat(prompt, entry_point)
    comments = [] if definition else _comments(prompt)
    if comments:
        return "comment", comments[-1:], ["".join(_outside(prompt, comments))]
    if definition or _IMPORT.match(prompt):
        prose = [(r.start, r.stop) for r in _descriptions(prompt, entry_point)]
        return "python", prose, [prompt]
    return "text", [(0, len(prompt))], []


def _comments(prompt: str) -> list[Span]:
    """Finds the bodies of C-style comments that say something."""
    bodies = [(each.start, each.stop) for each in comment_bodies(prompt)]
    return [(start, stop) for start, stop in bodies if prompt[start:stop].strip()] or bodies


def _chat(prompt: str, entry_point: str) -> tuple[list[Span], list[str]]:
    """Finds the prose of chat text (around the fences and in docstrings), and the fenced code."""
    prose: list[Span] = []
    sources: list[str] = []
    end = 0
    for fence in _FENCED.finditer(prompt):
        prose.append((end, fence.start()))
        body, end = fence["body"], fence.end()
        sources.append(body)
        offset = fence.start("body")
        if _PYTHON.search(body):
            found = _descriptions(body, entry_point)
            prose.extend((offset + r.start, offset + r.stop) for r in found)
    return [*prose, (end, len(prompt))], sources


def _descriptions(source: str, entry_point: str) -> list[Region]:
    """Finds the docstring that describes the task.

    It is the entry point's docstring, else that of the last function with one, else the module's.
    Source without any docstring has its stand-alone comments instead.
    """
    found = [region for region in regions(source) if region.statement]
    strings = [region for region in found if not region.comment]
    owners = [region.owner for region in strings if region.owner]
    owner = entry_point if entry_point in owners else (owners[-1] if owners else "")
    chosen = [region for region in strings if region.owner == owner]
    return chosen or [region for region in found if region.comment]


def _outside(prompt: str, spans: list[Span]) -> Iterator[str]:
    end = 0
    for start, stop in spans:
        yield prompt[end:start]
        end = stop
    yield prompt[end:]


def _segments(prompt: str, prose: list[Span]) -> Iterator[Segment]:
    end = 0
    for start, stop in prose:
        if end < start:
            yield Segment(end, start, "code")
        yield from _description(prompt, start, stop)
        end = stop
    if end < len(prompt):
        yield Segment(end, len(prompt), "code")


def _description(prompt: str, start: int, stop: int) -> Iterator[Segment]:
    """Splits a description into runs of prose lines and runs of example lines."""
    lines = prompt[start:stop].splitlines(keepends=True)
    # Blanks in place of comment marks keep the indents, which tell where an example ends.
    bare = [_LINE_LEAD.sub(_blank, line, count=1) for line in lines]
    run, kind = start, ""
    position = start
    for line, example in zip(lines, example_lines(bare), strict=True):
        here = "example" if example else "prose"
        if kind and here != kind:
            yield Segment(run, position, "example" if kind == "example" else "prose")
            run = position
        kind = here
        position += len(line)
    if run < stop:
        yield Segment(run, stop, "example" if kind == "example" else "prose")


def _blank(lead: re.Match[str]) -> str:
    return " " * len(lead.group())


def _literals(text: str) -> set[str]:
    return {match["word"] for match in _QUOTED_WORD.finditer(text)}


def _layout(text: str) -> Iterator[Span]:
    """Yields line breaks with the indent and comment marks around them, and the first indent."""
    lead = _LINE_LEAD.match(text)
    yield (0, lead.end() if lead else 0)
    for match in _LINE_BREAK.finditer(text):
        yield match.span()


def _words(text: str, offset: int, spans: tuple[Span, ...]) -> Iterator[Word]:
    """Yields the words outside `spans`. Words and spans are both sorted, so one pass is enough."""
    remaining = iter(spans)
    span = next(remaining, None)
    for match in _WORD.finditer(text):
        while span is not None and span[1] <= match.start():
            span = next(remaining, None)
        free = span is None or span[0] >= match.end()
        if free and match.end() - match.start() > 1:
            yield Word(offset + match.start(), offset + match.end(), match.group())
