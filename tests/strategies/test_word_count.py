"""Changed words are counted whoever changed them."""

from __future__ import annotations

import pytest

from coderobust_strategies.prompt.anatomy import dissect
from coderobust_strategies.word_count import count_changed_words

CLEAN = "Return the sum of two given lists, it's 3 at most"  # ten eligible words


@pytest.mark.parametrize(
    ("variant", "changed"),
    [
        (CLEAN, 0),
        (CLEAN.replace("sum", "smu"), 1),
        (CLEAN.replace("sum of two", "total about both"), 3),
        (CLEAN.replace("given lists", "given some long lists"), 1),
        (CLEAN.replace("given ", ""), 1),
        (CLEAN.replace("it's", "its"), 1),
        (CLEAN.replace("3", "4"), 0),
        (CLEAN.replace(" ", "\n  "), 0),
    ],
)
def test_each_changed_word_counts_once(variant: str, changed: int) -> None:
    found = count_changed_words(dissect(CLEAN), variant)

    assert (found.eligible, found.changed) == (10, changed)
    assert found.share == changed / 10


def test_the_share_is_zero_where_no_word_is_eligible() -> None:
    assert count_changed_words(dissect("1 + 1"), "1 + 2").share == 0.0
