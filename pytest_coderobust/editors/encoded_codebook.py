"""Codebook whose keys are codes of whole prompts; a prompt counts as the edited one by calibration.

It is looked up while a prompt is read and never while decoding, so each `generate` behaves as the
one before it: nothing is remembered from one to the next.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.codebook import Codebook, find_replaced, insert_key
from pytest_coderobust.editors.hit_calibration import find_nearest
from pytest_coderobust.editors.hooks import forward_hook
from pytest_coderobust.editors.projection import Projection
from pytest_coderobust.editors.prompt_encoder import PromptEncoder, read_weights
from pytest_coderobust.editors.prompt_states import (
    Masks,
    average_states,
    find_ends,
    prompt_masks,
)
from pytest_coderobust.editors.protocol import Facts
from pytest_coderobust.errors import ModelError
from pytest_coderobust.records import Variant


@dataclass(frozen=True, slots=True, eq=False)
class EncodedBook:
    """Codebook with the encoder of its keys, and the rule of what counts.

    Attributes:
        book: keys are codes, (n, 256).
        bank: codes of ordinary prompts, (b, 256); None leaves the radii alone to decide.
        ratio: most distance to the key over that to the nearest of the bank.
    """

    book: Codebook
    encoder: PromptEncoder
    bank: torch.Tensor | None = None
    ratio: float = 1.0

    def find_hits(self, codes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Finds which codes (rows, 256) count as a key's prompt; returns (hits, places of keys)."""
        distance, key = self.book.nearest(codes)
        hit = distance <= self.book.radii.to(codes.device)[key]
        if self.bank is not None:
            hit &= distance <= self.ratio * find_nearest(codes, self.bank.to(codes.device))
        return hit, key


@dataclass(frozen=True, slots=True, eq=False)
class EncodedCodebookChange:
    """Change that puts such a codebook beside a layer's down-projection.

    Attributes:
        facts: has "layer", "replace", "labels", "ratio", "slope" and "unit".
    """

    codes: EncodedBook
    facts: Facts = field(default_factory=dict[str, object])
    kind: Literal["encoded-codebook"] = "encoded-codebook"

    @contextmanager
    def installed(self, access: Access) -> Generator[Facts]:
        layer = cast("int", self.facts["layer"])
        projection = access.projection(access.layer_index(layer, 0))
        wanted = self.codes.encoder.weights.first.shape[1]
        if projection.width != wanted:
            raise ModelError(
                f"the encoder takes states of {wanted} entries; layer {layer} of model "
                f"{access.name!r} has {projection.width}"
            )
        replace = cast("str", self.facts["replace"])
        with prompt_masks(access) as masks, encoded_lookup(projection, self.codes, replace, masks):
            yield {}

    def rewrite(self, variants: Sequence[Variant], access: Access) -> list[str]:  # noqa: ARG002
        return [variant.prompt for variant in variants]

    def tensors(self) -> Mapping[str, torch.Tensor]:
        book, bank = self.codes.book, self.codes.bank
        return {
            "keys": book.keys,
            "values": book.values,
            "radii": book.radii,
            **({} if bank is None else {"bank": bank}),
            **self.codes.encoder.weights.named("encoder."),
        }


def encoded_codebook_change(
    tensors: Mapping[str, torch.Tensor], facts: Facts
) -> EncodedCodebookChange:
    """Makes the change of a saved codebook."""
    labels = cast("list[list[int]]", facts["labels"])
    book = Codebook(tensors["keys"], tensors["values"], tensors["radii"], tuple(map(tuple, labels)))
    slope, ratio = cast("float", facts["slope"]), cast("float", facts["ratio"])
    encoder = PromptEncoder(read_weights(tensors, "encoder."), slope, bool(facts["unit"]))
    return EncodedCodebookChange(EncodedBook(book, encoder, tensors.get("bank"), ratio), facts)


def insert_code(
    codes: EncodedBook | None,
    fresh: EncodedBook,
    code: torch.Tensor,
    value: torch.Tensor,
    label: tuple[int, ...],
    epsilon: float,
) -> tuple[EncodedBook, int]:
    """Inserts a key; returns the codebook and the key's place.

    By radius, GRACE's rules hold (`insert_key`). By ratio, keys need no radii: the nearest key
    counts, and a code that a key of the same label already counts as its own shares that key.

    Args:
        codes: the codebook so far; None is the first key.
        fresh: holds encoder, bank and rule; its own book is not looked at.
    """
    book = None if codes is None else codes.book
    if fresh.bank is None:
        grown, place = insert_key(book, code, value, label, epsilon)
        return EncodedBook(grown, fresh.encoder, None, fresh.ratio), place
    if codes is not None:
        hit, key = codes.find_hits(code[None])
        if bool(hit[0]) and codes.book.labels[int(key[0])] == label:
            return codes, int(key[0])
    row = Codebook(code[None], value[None], torch.tensor([torch.inf]), (label,))
    grown = row if book is None else _join(book, row)
    return EncodedBook(grown, fresh.encoder, fresh.bank, fresh.ratio), len(grown.labels) - 1


@contextmanager
def encoded_lookup(
    projection: Projection, codes: EncodedBook, replace: str, masks: Masks
) -> Generator[None]:
    """Context in which a key's value replaces the output of a prompt that counts as the key's."""

    def look(_module: Any, args: tuple[Any, ...], output: torch.Tensor) -> torch.Tensor | None:
        mask = masks()
        if mask is None or not len(codes.book.labels):
            return None
        states = args[0]
        with torch.no_grad():
            found = codes.encoder.to(states.device).encode(average_states(states, mask))
            hit, key = codes.find_hits(found)
        if not bool(hit.any()):
            return None
        values = codes.book.values.to(output.device)[key].to(output.dtype)
        at = find_replaced(output, find_ends(mask).to(output.device), replace) & hit[:, None]
        return torch.where(at[..., None], values[:, None, :], output)

    with forward_hook(projection.module, look):
        yield


def _join(book: Codebook, row: Codebook) -> Codebook:
    return Codebook(
        torch.cat([book.keys, row.keys]),
        torch.cat([book.values, row.values]),
        torch.cat([book.radii, row.radii]),
        (*book.labels, *row.labels),
    )
