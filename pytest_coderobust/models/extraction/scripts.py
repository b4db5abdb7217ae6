"""The program in an answer that has no entry point: it reads standard input and prints.

Blocks in another language, and blocks that hold data and no code, are no candidates. Of the
programs that read input `reading.block` says which counts; helpers in other blocks go with it.
"""

from __future__ import annotations

import re

from pytest_coderobust.models.extraction.fenced import Fenced, list_blocks
from pytest_coderobust.models.extraction.fences import AnswerCode, find_code
from pytest_coderobust.models.extraction.helpers import gather_helpers
from pytest_coderobust.models.extraction.program import Wanted, choose_needed
from pytest_coderobust.records import AnswerReading

_PYTHON = frozenset({"", "python", "py", "python3", "py3", "python2", "pypy", "pypy3", "code"})
_READS = re.compile(r"\binput\s*\(|\bstdin\b|\bopen\s*\(\s*0\b")
_CODE = re.compile(
    r"^[ \t]*(?:from|import|def|class|for|while|if|try|with|async)\b"
    r"|^[ \t]*\w[\w.\[\], ]*[-+*/%]?=[^=]|\w\s?\(",
    re.M,
)
"""Matches a statement, an assignment or a call."""


def find_script(answer: str, reading: AnswerReading) -> str:
    """Finds the program in a clean answer."""
    blocks = list_blocks(answer)
    candidates = [place for place, block in enumerate(blocks) if _is_candidate(block)]
    if not candidates:
        return find_code(answer, lambda _: False, reading).text
    reading_ones = [place for place in candidates if _READS.search(blocks[place].text)]
    chosen = (reading_ones or candidates)[0 if reading.block == "first" else -1]
    before = tuple(blocks[place].text for place in candidates if place < chosen)
    after = tuple(blocks[place].text for place in candidates if place > chosen)
    found = AnswerCode(blocks[chosen].text, before, after)
    gathered = gather_helpers(found)
    wanted = Wanted(gathered.needed)
    parts = [
        [
            piece
            for piece, keep in zip(pieces, choose_needed(pieces, wanted).kept, strict=True)
            if keep
        ]
        for pieces in (gathered.before, gathered.after)
    ]
    # Definitions go ahead of the program that calls them, also where the answer has them last.
    return "".join((*parts[0], *parts[1], *gathered.own))


def _is_candidate(block: Fenced) -> bool:
    """Whether a block holds Python, be it broken, and no data or another language."""
    return block.language.strip("{}.") in _PYTHON and _CODE.search(block.text) is not None
