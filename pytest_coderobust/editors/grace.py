"""GRACE: a codebook beside one down-projection; the weights stay as they are.

Hartvigsen et al. 2023 (arXiv 2211.11031). A query is the projection's input at the prompt's last
token. Where it is within a key's radius, the key's value replaces the output; everywhere else the
output is the module's own tensor, bit for bit.

Departures: the last token follows from the attention mask, so padding does not matter; queries
are made while a prompt is read and not while decoding; labels are compared as token ids, in full.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.codebook import Codebook, CodebookChange, codebook_lookup, insert_key
from pytest_coderobust.editors.lookup import lookup
from pytest_coderobust.editors.options import GraceOptions
from pytest_coderobust.editors.projection import Projection
from pytest_coderobust.editors.protocol import EditRequest, ModelChange
from pytest_coderobust.editors.targets import loss_at, target_batch
from pytest_coderobust.errors import EditRefused

_ENOUGH = 1e-2
"""The loss below which a value is not improved further."""

_WIDE = torch.tensor([torch.inf])
"""Radius of a key on trial, which holds every query."""


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
        query, start = seen.input.cpu(), seen.output.cpu()
        if self.options.init == "cold":
            random = torch.Generator().manual_seed(self.options.seed)
            start = torch.rand(start.shape, generator=random)
        book, place = insert_key(book, query, start, target, self.options.epsilon)
        value, losses = self._find_value(access, projection, prompt, book, place)
        values = book.values.clone()
        values[place] = value
        gain = 1 - min(losses) / losses[0]
        if losses[0] > _ENOUGH and gain < self.options.gain:
            raise EditRefused(
                f"{request.label}: GRACE lowered its loss by {gain:.1%} only; another layer or "
                "replace=all may steer the whole continuation"
            )
        return Codebook(book.keys, values, book.radii, book.labels), losses

    def _find_value(
        self,
        access: Access,
        projection: Projection,
        prompt: Sequence[int],
        book: Codebook,
        place: int,
    ) -> tuple[torch.Tensor, list[float]]:
        """Trains the value of one key; returns the best one and every loss on the way."""
        target = book.labels[place]
        batch, places = target_batch(access, [prompt], target)
        value = book.values[place].clone().to(access.device).requires_grad_()
        optimizer = torch.optim.Adam([value], lr=self.options.lr)
        losses: list[float] = []
        best = value.detach().clone()
        trial = Codebook(book.keys[place : place + 1], value[None], _WIDE, (target,))
        for _ in range(self.options.steps):
            with codebook_lookup(
                projection, trial, self.options.replace, lambda: places[:, 0], alone=True
            ):
                loss = loss_at(access.logits(batch), places, target)
            if not losses or loss.item() < min(losses):
                best = value.detach().clone()
            losses.append(loss.item())
            if losses[-1] < _ENOUGH:
                break
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        return best.cpu(), losses
