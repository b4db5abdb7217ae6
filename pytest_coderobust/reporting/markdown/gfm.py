"""The pieces of GitHub Flavored Markdown that reports use, safe for foreign text.

Foreign text is put inside `<code>` with its punctuation as character references, or in a fenced
block: nothing in it can open a tag, end a table cell, mention a person or become a link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pytest_coderobust.reporting.hostile import escape, escape_block

PUNCTUATION = re.compile(r"[!\"#$%&'*.:;<>?@\[\\\]^_`{|}~]")
"""Everything that could begin markup, a mention, a link or the end of a table's cell."""


def format_code(text: str, limit: int = 300) -> str:
    """Formats foreign text on one line."""
    shown = escape(text, limit)
    return f"<code>{PUNCTUATION.sub(lambda found: f'&#{ord(found[0])};', shown)}</code>"


def make_fence(text: str, language: str = "", limit: int = 20_000) -> str:
    """Makes a block of foreign text; its fence is longer than any run of backticks in it."""
    shown = escape_block(text, limit)
    longest = max(map(len, re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{shown.rstrip(chr(10))}\n{fence}"


def format_table(headings: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """Formats a table; its cells are Markdown already.

    Args:
        left: columns of text, which lean left; the others are numbers and lean right.
    """
    rule = [*[":---"] * left, *["---:"] * (len(headings) - left)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, rule, *rows))
