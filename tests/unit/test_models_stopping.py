"""Stop strings: what ends a row, found while tokens arrive as it is found afterwards."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from models_checkpoints import byte_level, sentence_piece, wrap

from pytest_coderobust.models.stopping import StopStrings, cut_at_stop, decode

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

        found = feed(StopStrings(stops, head, tokenizer, text_of, [2]), rows)
        for row, ids in enumerate(rows):
            ends = [
                count
                for count in range(1, len(ids) - head + 1)
                if any(stop in text_of(row, ids[head : head + count]) for stop in stops)
            ]
            assert found.get(row) == (ends[0] if ends else None)


def feed(stopping: StopStrings, rows: list[list[int]]) -> dict[int, int]:
    """Shows the rows to the criterion token by token, as generation does."""
    width = max(map(len, rows))
    # Shorter rows go on with the end token, which ends them.
    ids = torch.tensor([row + [2] * (width - len(row)) for row in rows])
    for length in range(stopping._width + 1, width + 1):
        stopped = stopping(ids[:, :length], None)
        assert stopped.tolist() == [row in stopping.lengths for row in range(len(rows))]
    return stopping.lengths
