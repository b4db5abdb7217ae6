"""The block that is the answer, where several define the function.

A model corrects itself, so the last one counts. But some blocks are shown and not meant: a wrong or
naive version, a sketch, an alternative, a stub. Words around such a block say so, or its body does
nothing. It counts only where no other block is left. Nothing is run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from pytest_coderobust.models.extraction.blocks import quiet_parser
from pytest_coderobust.models.extraction.fenced import Fenced

_NEAR = 400
"""Characters of prose that are read before and behind a block."""

_POOR = (
    r"wrong|incorrect|mistakes?|buggy|bad (?:version|code|example|idea)|naive|na\u00efve|broken|"
    r"brute[- ]force|quick and dirty|draft|sketch|skeleton|outline|stub|pseudo-?code"
)
_FAILS = (
    r"(?:fails?|breaks?|crash(?:es)?|misses|loses)|"
    r"(?:do|does|did|would|will|ca|wo|should)(?:n't| ?not)\s+(?:\w+ly\s+|quite\s+|always\s+)?"
    r"(?:work|handle|pass|cover|return|match|be|do|write|use|try)"
)
_INTRODUCES = re.compile(r"\A\s*(?:#|\*\*|__)|:\W*\Z")
"""Matches a heading, or a sentence that ends in a colon."""
_ASIDE = re.compile(
    rf"^\W*(?:avoid|bad)\b|\b(?:{_POOR}|{_FAILS}|avoid (?:this|it|writing|doing)|what not to|"
    r"not recommended|alternatives?|alternatively|another (?:way|option|version|approach|variant)|"
    r"variants?|variations?|optional(?:ly)?|(?:is|are|could|can|might) also|equivalent|one-liner|"
    r"you (?:could|might|can|may)|if you|if \w+ (?:is|does)(?:n't| not)|shorter|simplified|simpler|"
    r"template|exercise|signature|untested|for (?:comparison|reference)|for example, (?:a|one)|"
    r"compare (?:with|to|this)|in contrast|different from|in other words|slower|"
    r"less (?:safe|efficient|readable|robust)|original (?:function|code|version))\b",
    re.IGNORECASE,
)
"""Words ahead of a block that is shown beside the answer."""
_MEANT = re.compile(
    r"\b(?:correct(?:ed|ly)?|fixed|final(?:ly)?|instead|revised?|updated?|improved?|better|cleaner|"
    r"complete|full|refined?|answer|solution|solves|implementation|attempt|let me|let's|let us|"
    r"should be|must be|optimi[sz]ed|actually|passes|together|robust|handles? all|now|covers|so|"
    r"wait|oops|hmm+|we (?:also |still )?(?:need|have) to|"
    r"(?:the|that|this) (?:bug|flaw|problem))\b",
    re.IGNORECASE,
)
"""Words ahead of a block that is meant to be the answer."""
_POOR_LEAD = re.compile(rf"\b(?:{_POOR}|first (?:try|attempt|version)|initial(?:ly)?)\b", re.I)
_REGRETS = re.compile(
    rf"\b(?:wait|oops|hmm+|apolog\w+|sorry|my mistake|a mistake|reconsider|second thought|too slow|"
    rf"but|however|(?:has|have) an? (?:bug|flaw|problem|issue)|the bug|(?:is|was) (?:{_POOR})|"
    rf"{_FAILS})\b",
    re.IGNORECASE,
)
"""Words behind a block that take it back."""
_CORRECTS = re.compile(r"\b(?:correct(?:ed|ion)?|fix(?:ed)?|revised|final(?:ly)?)\b", re.IGNORECASE)
"""Words ahead of a block that corrects what stands before it."""
_TAKES_BACK = re.compile(
    r"(?:\A|[.!,;]\s+)(?:(?:and|but|so)\s+)?(?:this|that|it|which)\s+"
    r"(?:(?:one|version|variant|approach|solution|way|function|code)\s+)?"
    r"(?:(?:\w+ly|also|still|would|will|may|might|could|can)\s+){0,4}"
    r"(?:fails?|breaks?|crash(?:es)?|misses|loses|(?:is|be|was)\s+(?:\w+ly\s+)?(?:wrong|incorrect)|"
    r"(?:do|does|would|will|ca|wo)(?:n't| ?not)\s+(?:\w+ly\s+|quite\s+|always\s+)?"
    r"(?:work|handle|pass|cover|match))\b"
    r"|\bprefer the (?!second|last|latter|new|corrected|fixed)"
    r"|\b(?:use|keep|take|recommend|(?:stay|stick|go) (?:to|with)) (?:the|my) "
    r"(?:first|previous|earlier)\b"
    r"|\bthe (?:first|previous|earlier) (?:version|solution|one) (?:above )?"
    r"(?:is (?:better|correct|right|safer|preferable|the answer)|stands|counts|works)\b",
    re.IGNORECASE,
)
"""Words behind the last block that prefer what stands before it."""


def choose_block(text: str, blocks: Sequence[Fenced], defining: Sequence[int]) -> int:
    """Chooses the block that is the answer: the last of those that are meant, else the last.

    Args:
        defining: places of the blocks that define the function; at least one.
    """
    if len(defining) == 1:
        return defining[0]
    meant = (
        place
        for place in reversed(defining)
        if not (_is_aside(text, blocks, place) or is_stub(blocks[place].text))
    )
    return next(meant, defining[-1])


def is_stub(code: str) -> bool:
    """Tells whether the last function of a block does nothing: passes, raises, or returns None."""
    with quiet_parser():
        try:
            tree = ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    functions = [n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return bool(functions) and all(map(_is_nothing, functions[-1].body))


def _is_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Return):
        return statement.value is None or (
            isinstance(statement.value, ast.Constant) and statement.value.value is None
        )
    if isinstance(statement, ast.Raise):
        return "NotImplemented" in ast.unparse(statement)
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _is_aside(text: str, blocks: Sequence[Fenced], place: int) -> bool:
    """Whether words around a block say that it is not meant to be the answer."""
    start = blocks[place - 1].end if place else 0
    before = text[max(start, blocks[place].start - _NEAR) : blocks[place].start]
    *earlier, lead = [*_list_sentences(before)] or [""]
    if not place:
        return bool(_POOR_LEAD.search(lead)) and not _MEANT.search(lead)
    if _INTRODUCES.search(lead) and _ASIDE.search(lead) and not _MEANT.search(lead):
        return not any(map(_REGRETS.search, earlier))
    if place + 1 == len(blocks) and not (_CORRECTS.search(before) or _REGRETS.search(before)):
        behind = text[blocks[place].end :][:_NEAR].strip()
        return _TAKES_BACK.search(behind) is not None
    return False


def _list_sentences(prose: str) -> Iterator[str]:
    for line in prose.split("\n"):
        yield from (each for each in re.split(r"(?<=[.!?;])\s+", line) if each.strip())
