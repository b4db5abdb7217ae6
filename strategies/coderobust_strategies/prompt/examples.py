"""Separates the example lines of a description from its prose, for every style of the benchmarks.

Styles found in HumanEval and MBPP: doctests; `f(x) == y`, `=>`, `->`, `➞`, "returns", "should
return"; `assert` lines; "For x = 1 the output should be 2"; Input/Output/Explanation labels; blocks
under an "Example" header; formulas. A line that may be either counts as an example: to leave prose
alone costs little, but an altered example changes the task.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_DOCTEST = re.compile(r">>>|\.\.\.(?:\s|$)")
_HEADER = re.compile(
    r"(?:(?:here|these)\s+are\s+|(?:for|as)\s+(?:an\s+)?)?(?:some\s+)?"
    r"(?:\[?input\s*/\s*output\]?\s+)?(?:exam[pb]les?|samples?|e\.g\.?|tests?\s+cases?)"
    r"(?:\s+(?:usages?|inputs?|outputs?|cases?))?\s*\d*\s*[:.]?$",
    re.IGNORECASE,
)
_RESULT = r"(?:\#|=|-+>|➞|→|⇒|(?:returns?|gives?|outputs?|should|must|will|evaluates)\b)"
_CALL = re.compile(
    rf"[-*•\s]*(?:for\s+|e\.g\.?\s+)?[A-Za-z_][\w.]*\(.*\)\s*{_RESULT}", re.IGNORECASE
)
_LABEL = re.compile(r"[-*•\s]*(?:input|output|explanation|result)s?\s*\d*\s*[:=]", re.IGNORECASE)
_GIVEN = re.compile(
    r"(?:for|if|when)\s+\w+\s*=\s*\S.*\b(?:output|result|sum|return)", re.IGNORECASE
)
_ASSERT = re.compile(r"assert\s+\S.*[=(\[]|=+>|-+>|➞|→")
_FORMULA = re.compile(
    r"[A-Za-z_]\w*(?:[\[(][^=\n]{0,60}[\])])?(?:\s*\[[^\]\n]{0,60}\])?\s*:?=+\s*\S"
)
_IN_BLOCK = re.compile(r"[\[\](){}\"'\u2018\u201c\d<>=#*&|+]|-\s*\d")
_CALL_START = re.compile(r"[A-Za-z_][\w.]*\(")
_FENCE = re.compile(r"```|~~~")
_CONSOLE = re.compile(r"(?:In|Out)\s*\[\d*\]:|\$\s")


def example_lines(lines: Sequence[str]) -> list[bool]:
    """Says for each line of a description whether it belongs to an example.

    A blank line belongs to what the line before it belongs to.
    """
    state = _State()
    return [state.read(line) for line in lines]


class _State:
    """The state of a reader of the description: in prose, a doctest, a block or a fence."""

    def __init__(self) -> None:
        self.wanted = False  # the expected output of a doctest follows
        self.header: int | None = None  # the indent of the open example header
        self.first = False  # the next line is the first below that header
        self.fenced = False  # inside a fence
        self.last = False  # the last line that was not blank is an example

    def read(self, line: str) -> bool:
        """Reads the next line; True when it belongs to an example."""
        text = line.strip()
        if not text:
            self.wanted = False
            return self.last or self.fenced
        self.last = self._classify(text, len(line) - len(line.lstrip()))
        self.first = False if not _HEADER.match(text) else self.first
        return self.last

    def _classify(self, text: str, indent: int) -> bool:
        if _FENCE.match(text):
            self.fenced = not self.fenced
            return True
        if self.fenced:
            return True
        if _DOCTEST.match(text):
            self.wanted = text.startswith(">>>") or self.wanted
            return True
        if self.wanted:
            return True
        if _HEADER.match(text):
            self.header, self.first = indent, True
            return True
        if is_example(text):
            if _LABEL.match(text) and self.header is None:
                self.header = indent
            return True
        return self._in_block(text, indent)

    def _in_block(self, text: str, indent: int) -> bool:
        if self.header is None:
            return False
        # A block goes on while lines are indented or look like values or calls. The line right
        # below its header always belongs to it; any other line of prose ends it.
        inside = indent > self.header or _IN_BLOCK.match(text) or _CALL_START.match(text)
        if not inside and not self.first:
            self.header = None
        return bool(inside) or self.first


def is_example(text: str) -> bool:
    """Says whether one stripped line shows a call and its result, a labelled value or a formula."""
    return any(
        pattern.match(text) for pattern in (_CALL, _LABEL, _GIVEN, _ASSERT, _FORMULA, _CONSOLE)
    )
