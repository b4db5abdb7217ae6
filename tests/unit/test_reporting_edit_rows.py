"""Sentences about edits: requests that were refused in the same words stand together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.reporting.edit_rows import group_refusals


def test_requests_with_the_same_reason_share_its_words() -> None:
    reasons = [
        "T/1[C1-s0]: no layer",
        "T/2[C1-s0]: a loss",
        "T/3[C1-s1]: no layer",
        "out: of memory",
    ]
    assert group_refusals(reasons) == (
        "T/1[C1-s0], T/3[C1-s1]: no layer; T/2[C1-s0]: a loss; out: of memory"
    )


def test_many_requests_are_counted() -> None:
    reasons = [f"T/{n}[C1-s0]: no layer" for n in range(9)]
    told = group_refusals(reasons)
    assert told.endswith("T/4[C1-s0] and 4 more: no layer")
    assert told.count("no layer") == 1


@given(st.lists(st.text(), min_size=1, max_size=8))
def test_every_text_takes_one_line(reasons: list[str]) -> None:
    assert group_refusals(reasons).isprintable()
