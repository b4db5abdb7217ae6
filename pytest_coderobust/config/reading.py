"""The keys of `[suite]` by which a solution is read from an answer."""

from __future__ import annotations

from typing import cast

from pytest_coderobust.config.table import Table
from pytest_coderobust.records import AnswerBlock, AnswerReading


def read_reading(table: Table) -> AnswerReading:
    """Reads `answer_block` and `reasoning`.

    Raises:
        ConfigError: the tags are no pair, contradict each other, or nothing is extracted.
    """
    default = AnswerReading()
    block = table.choice("answer_block", default.block, ("first", "last"))
    tags = table.texts("reasoning")
    _check_tags(table, tags)
    if table.text("extraction", "code") == "raw":
        for key in ("answer_block", "reasoning"):
            if key in table:
                raise table.error(key, 'says how code is extracted, and extraction = "raw" is not')
    return AnswerReading(cast("AnswerBlock", block), tags)


def _check_tags(table: Table, tags: tuple[str, ...]) -> None:
    if "reasoning" not in table:
        return
    if len(tags) != 2 or not all(tag.strip() for tag in tags):
        raise table.error(
            "reasoning", 'must be an opening and a closing tag, as in ["<think>", "</think>"]'
        )
    opening, closing = (tag.lower() for tag in tags)
    if opening == closing:
        raise table.error("reasoning", "the two tags contradict: one cannot both open and close")
    if opening in closing or closing in opening:
        raise table.error("reasoning", "the two tags contradict: one is a part of the other")
    if opening.startswith(("</", "[/")):
        raise table.error("reasoning", "the two tags contradict: the opening tag comes first")
