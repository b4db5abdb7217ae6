"""GRACE: a codebook beside one down-projection; the weights stay as they are.

Hartvigsen et al. 2023 (arXiv 2211.11031). A query is the projection's input at the prompt's last
token. Where it is within a key's radius, the key's value replaces the output; everywhere else the
output is the module's own tensor, bit for bit.

Departures: the last token follows from the attention mask, so padding does not matter; queries
are made while a prompt is read and not while decoding; labels are compared as token ids, in full.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.codebook import Codebook, CodebookChange, insert_key
from pytest_coderobust.editors.codebook_values import find_value, refuse_small_gain, start_value
from pytest_coderobust.editors.lookup import lookup
from pytest_coderobust.editors.options import GraceOptions
from pytest_coderobust.editors.projection import Projection
from pytest_coderobust.editors.protocol import EditRequest, ModelChange


class Grace:
    """Editor by GRACE; successive edits add keys, and split radii where they meet."""

    def __init__(self, options: GraceOptions) -> None:
        self.options = options

    def compute(
        self, access: Access, requests: Sequence[EditRequest], so_far: ModelChange | None = None
    ) -> CodebookChange:
        assert so_far is None or isinstance(so_far, CodebookChange)
        layer = access.layer_index(self.options.layer, 27 / 32)
        projection = access.projection(layer)
        book = so_far.book if so_far else None
        losses: list[float] = []
        for request in requests:
            book, losses = self._learn(access, projection, request, book)
        assert book is not None
        facts = {
            "layer": layer,
            "replace": self.options.replace,
            "labels": [list(label) for label in book.labels],
            "losses": losses,
        }
        return CodebookChange(book, facts)

    def _learn(
        self, access: Access, projection: Projection, request: EditRequest, book: Codebook | None
    ) -> tuple[Codebook, list[float]]:
        prompt = access.encode(request, request.perturbed)
        target = access.target(request)
        seen = lookup(access, projection, prompt)
        start = start_value(seen.output.cpu(), self.options)
        book, place = insert_key(book, seen.input.cpu(), start, target, self.options.epsilon)
        value, losses = find_value(
            access, projection, prompt, target, book.values[place], self.options
        )
        refuse_small_gain(request.label, "GRACE", losses, self.options.gain)
        return book.with_value(place, value), losses
