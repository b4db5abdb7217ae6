"""Stop strings that end their row and leave the batch running."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from transformers import StoppingCriteria

TextOf = Callable[[int, Sequence[int]], str]
"""The completion of a row, from its index and its new token ids."""


class StopStrings(StoppingCriteria):
    """Ends a row as soon as its completion holds a stop string.

    Only the last few tokens are decoded at each step, as many as the longest stop string can
    span, so that the cost a token does not grow with the text. A hit there is confirmed on the
    whole completion, because the start of a decoded tail may read differently.

    Attributes:
        lengths: new tokens of each row that has stopped, by row.
    """

    def __init__(
        self, stops: Sequence[str], width: int, tokenizer: Any, text_of: TextOf, eos: Sequence[int]
    ) -> None:
        self._stops = stops
        self._width = width
        self._tokenizer = tokenizer
        self._text_of = text_of
        self._eos = frozenset(eos)
        # Every token adds a byte at least, and the first of a tail may be half a character.
        self._reach = max(len(stop.encode("utf-8", "surrogatepass")) for stop in stops) + 8
        self._done: set[int] = set()
        self.lengths: dict[int, int] = {}

    def __call__(
        self,
        input_ids: torch.Tensor,  # (rows, width + new)
        scores: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> torch.BoolTensor:  # (rows,)
        new = input_ids[:, self._width :]
        for row, tail in enumerate(new[:, -self._reach :].tolist()):
            if row not in self._done and self._ends(row, tail, new):
                self._done.add(row)
        stopped = [row in self.lengths for row in range(input_ids.shape[0])]
        found = torch.tensor(stopped, dtype=torch.bool, device=input_ids.device)
        return cast("torch.BoolTensor", found)

    def _ends(self, row: int, tail: list[int], new: torch.Tensor) -> bool:
        if tail[-1] in self._eos:
            return True
        # A tail that is the whole completion may lack its first space.
        if new.shape[1] > self._reach and not self._found(decode(self._tokenizer, tail)):
            return False
        if not self._found(self._text_of(row, new[row].tolist())):
            return False
        self.lengths[row] = new.shape[1]
        return True

    def _found(self, text: str) -> bool:
        return any(stop in text for stop in self._stops)


def cut_at_stop(text: str, stops: Sequence[str]) -> str | None:
    """The text before the first stop string, or None when there is none in it."""
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    return text[: min(places)] if places else None


def decode(tokenizer: Any, ids: Sequence[int]) -> str:
    """The text of token ids, without special tokens and without the removal of spaces."""
    return str(tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))
