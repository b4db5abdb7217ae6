"""Stop strings: what ends a row, found while tokens arrive as it is found afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st
from support.models_checkpoints import byte_level, sentence_piece, wrap

from pytest_coderobust.models.stops import EndTest, cut_at_stop
from pytest_coderobust.models.thought_tags import decode

BYTES = wrap(byte_level())
PIECES = wrap(sentence_piece())
TEXT = st.text("ab\n #é\U0001f600", max_size=25)
STOPS = st.lists(st.text("ab\n #é", min_size=1, max_size=6), min_size=1, max_size=3)


def test_the_earliest_stop_cuts() -> None:
    assert cut_at_stop("one two three", ("three", "two")) == "one "
    assert cut_at_stop("one two", ("three",)) is None
    assert cut_at_stop("one two", ()) is None
    assert cut_at_stop("one two", ("one",)) == ""


@given(texts=st.lists(TEXT, min_size=1, max_size=3), stops=STOPS)
@settings(deadline=None, max_examples=200)
def test_a_row_ends_with_the_first_token_that_completes_a_stop(
    texts: list[str], stops: list[str]
) -> None:
    for tokenizer in (BYTES, PIECES):
        rows = [tokenizer("p" + text, add_special_tokens=False)["input_ids"] for text in texts]
        head = len(tokenizer("p", add_special_tokens=False)["input_ids"])

        def text_of(
            row: int,
            ids: Sequence[int],
            tokenizer: object = tokenizer,
            rows: list[list[int]] = rows,
            head: int = head,
        ) -> str:
            start = decode(tokenizer, rows[row][:head])
            return decode(tokenizer, [*rows[row][:head], *ids])[len(start) :]

        ends = EndTest(stops, partial(decode, tokenizer), text_of, [])
        for row, ids in enumerate(rows):
            starts = [ids[head : head + count] for count in range(1, len(ids) - head + 1)]
            found = [ends(row, new) for new in starts]
            expected = [any(stop in text_of(row, new) for stop in stops) for new in starts]
            assert (True in found) == (True in expected)
            assert True not in found or found.index(True) == expected.index(True)


def test_an_end_token_ends_whatever_stands_before_it() -> None:
    ends = EndTest((), partial(decode, BYTES), lambda *_: "", [2, 7])
    assert ends(0, [5, 2])
    assert ends(0, [7])
    assert not ends(0, [2, 5])
