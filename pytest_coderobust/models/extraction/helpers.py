"""The answer's block with what it needs from the blocks around it.

A draft in another block may hold a helper of the answer, but never its entry point: an answer is
one program.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass

from pytest_coderobust.models.extraction.blocks import BlockNames, names_of, split_blocks
from pytest_coderobust.models.extraction.fences import AnswerCode

_BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True, slots=True)
class Gathered:
    """The statements of an answer's block, and those of blocks around it that may help it.

    Attributes:
        before, after: statements of other blocks; which of them are needed is not decided here.
        needed: names that the answer looks up and does not bind, where there are other blocks.
    """

    own: tuple[str, ...]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    needed: frozenset[str] = frozenset()


def gather_helpers(code: AnswerCode, entry_point: str = "") -> Gathered:
    """Gathers the answer's block, with other blocks where it needs their names.

    A name that no statement of the answer binds is looked for in the nearest block before it, then
    behind it. Of such a block every statement comes along that does not bind the entry point or
    what the answer binds itself.
    """
    own = split_blocks(code.text)
    if not (code.before or code.after):
        return Gathered(tuple(own))
    named = [names_of(block) for block in own]
    missing = _find_missing(named)
    needed = frozenset(missing)
    taken = {entry_point, *(name for each in named if each for name in each.bound)}
    found: dict[int, list[str]] = {}
    texts = (*code.before, *code.after)
    behind = len(code.before)
    for place in (*reversed(range(behind)), *range(behind, len(texts))):
        free = [
            (piece if piece.endswith("\n") else f"{piece}\n", names)
            for piece in split_blocks(texts[place])
            if (names := names_of(piece)) and not names.bound & taken
        ]
        bound = {name for _, names in free for name in names.bound}
        if missing & bound:
            found[place] = [piece for piece, _ in free]
            missing = (missing | _find_missing([names for _, names in free])) - bound
            taken |= bound
    return Gathered(
        tuple(own),
        tuple(piece for place in sorted(found) if place < behind for piece in found[place]),
        tuple(piece for place in sorted(found) if place >= behind for piece in found[place]),
        needed,
    )


def _find_missing(named: Iterable[BlockNames | None]) -> set[str]:
    """Finds the names that statements look up and none of them binds."""
    found = [each for each in named if each]
    needed = {name for each in found for name in each.needed}
    return needed - {name for each in found for name in each.bound} - _BUILTINS
