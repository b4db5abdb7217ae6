"""Stop strings: they end their row, and the rest of the batch goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from transformers import StoppingCriteria

TextOf = Callable[[int, Sequence[int]], str]
"""Makes the text of a row's completion from its index and its new token ids."""


class EndTest:
    """Test of whether a row's completion ends with its newest token: an end token or a stop string.

    Only the last few tokens are decoded, as many as the longest stop string can span, so that the
    cost a token does not grow with the text. A hit there is confirmed on the whole completion,
    because the start of a decoded tail may read differently.
    """

    def __init__(
        self,
        stops: Sequence[str],
        decode: Callable[[Sequence[int]], str],
        text_of: TextOf,
        eos: Sequence[int],
    ) -> None:
        self._stops = stops
        self._decode = decode
        self._text_of = text_of
        self._eos = frozenset(eos)
        # Every token adds a byte at least, and the first of a tail may be half a character.
        longest = max((len(stop.encode("utf-8", "surrogatepass")) for stop in stops), default=0)
        self._reach = longest + 8

    def __call__(self, row: int, ids: Sequence[int]) -> bool:
        return ids[-1] in self._eos or self.stopped(row, ids)

    def stopped(self, row: int, ids: Sequence[int]) -> bool:
        """Whether the completion of a row holds a stop string."""
        if not self._stops:
            return False
        # A tail that is the whole completion may lack its first space.
        tail = ids[-self._reach :]
        if len(ids) > len(tail) and not self._found(self._decode(tail)):
            return False
        return self._found(self._text_of(row, ids))

    def _found(self, text: str) -> bool:
        return any(stop in text for stop in self._stops)


class StopStrings(StoppingCriteria):
    """Ends rows of transformers' own generation; the rest of the batch goes on.

    Args:
        width: tokens of the padded prompts.
        listen: called after every step with the number of tokens it wrote over all rows, and with
            the new ids of the rows that ended, by row.

    Attributes:
        ended: the rows that have ended.
    """

    def __init__(
        self,
        ends: EndTest,
        width: int,
        listen: Callable[[int, Mapping[int, Sequence[int]]], None],
    ) -> None:
        self._ends = ends
        self._width = width
        self._listen = listen
        self.ended: set[int] = set()

    def __call__(
        self,
        input_ids: torch.Tensor,  # (rows, width + new)
        scores: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> torch.BoolTensor:  # (rows,)
        new = input_ids[:, self._width :].tolist()
        alive = {row: ids for row, ids in enumerate(new) if row not in self.ended}
        ended = {row: ids for row, ids in alive.items() if self._ends(row, ids)}
        self.ended.update(ended)
        self._listen(len(alive), ended)
        stopped = [row in self.ended for row in range(len(new))]
        found = torch.tensor(stopped, dtype=torch.bool, device=input_ids.device)
        return cast("torch.BoolTensor", found)


def cut_at_stop(text: str, stops: Sequence[str]) -> str | None:
    """Cuts the text before its first stop string; None when it has none."""
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    return text[: min(places)] if places else None
