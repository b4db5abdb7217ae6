"""Codebooks beside a down-projection: keys, the values they answer with, and the lookup."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.hooks import forward_hook
from pytest_coderobust.editors.projection import Projection
from pytest_coderobust.editors.prompt_states import find_ends, prompt_masks
from pytest_coderobust.editors.protocol import Facts
from pytest_coderobust.errors import ModelError
from pytest_coderobust.records import Variant

Places = Callable[[], torch.Tensor | None]
"""Finds where each row's prompt ends, (rows,); None while decoding."""


@dataclass(frozen=True, slots=True, eq=False)
class Codebook:
    """Keys (n, inputs), values (n, hidden), radii (n,); each with the ids it answers with."""

    keys: torch.Tensor
    values: torch.Tensor
    radii: torch.Tensor
    labels: tuple[tuple[int, ...], ...]

    def with_value(self, place: int, value: torch.Tensor) -> Codebook:
        """Puts a value in the place of another."""
        values = self.values.clone()
        values[place] = value
        return Codebook(self.keys, values, self.radii, self.labels)

    def nearest(self, query: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Finds the nearest key of each query (rows, inputs); returns distances and places."""
        # Differences, not torch.cdist: its matrix form rounds small distances away.
        gaps = (query[:, None, :] - self.keys.to(query.device)).norm(dim=-1)
        found = gaps.min(dim=1)
        return found.values, found.indices


@dataclass(frozen=True, slots=True, eq=False)
class CodebookChange:
    """Change that puts a codebook beside a layer's down-projection.

    Attributes:
        facts: has "layer", "replace" and "labels".
    """

    book: Codebook
    facts: Facts = field(default_factory=dict[str, object])
    kind: Literal["codebook"] = "codebook"

    @contextmanager
    def installed(self, access: Access) -> Generator[Facts]:
        layer = cast("int", self.facts["layer"])
        projection = access.projection(access.layer_index(layer, 0))
        inputs = projection.master().shape[1]
        if self.book.keys.shape[1] != inputs:
            raise ModelError(
                f"the codebook's keys have {self.book.keys.shape[1]} entries; layer {layer} of "
                f"model {access.name!r} has {inputs}"
            )
        replace = cast("str", self.facts["replace"])
        with prompt_ends(access) as ends, codebook_lookup(projection, self.book, replace, ends):
            yield {}

    def rewrite(self, variants: Sequence[Variant], access: Access) -> list[str]:  # noqa: ARG002
        return [variant.prompt for variant in variants]

    def tensors(self) -> Mapping[str, torch.Tensor]:
        return {"keys": self.book.keys, "values": self.book.values, "radii": self.book.radii}


def codebook_change(tensors: Mapping[str, torch.Tensor], facts: Facts) -> CodebookChange:
    """Makes the change of a saved codebook."""
    labels = cast("list[list[int]]", facts["labels"])
    book = Codebook(tensors["keys"], tensors["values"], tensors["radii"], tuple(map(tuple, labels)))
    return CodebookChange(book, facts)


def insert_key(
    book: Codebook | None,
    query: torch.Tensor,
    value: torch.Tensor,
    label: tuple[int, ...],
    epsilon: float,
) -> tuple[Codebook, int]:
    """Inserts a key for a query by the paper's rules; returns the codebook and the key's place.

    Far from every key, the query becomes a new one. Near a key of the same label, that key grows to
    cover the query. Near a key of another label, the query becomes a new key, and both radii are
    cut so that the balls are disjoint.
    """
    radius = torch.tensor([epsilon])
    if book is None:
        return Codebook(query[None], value[None], radius, (label,)), 0
    distance, place = (float(each[0]) for each in book.nearest(query[None]))
    nearest = int(place)
    radii = book.radii.clone()
    if distance <= epsilon + float(radii[nearest]):
        if book.labels[nearest] == label:
            radii[nearest] = max(float(radii[nearest]), distance)
            return Codebook(book.keys, book.values, radii, book.labels), nearest
        radii[nearest] = distance / 2 - 1e-5
        radius = torch.tensor([distance / 2])
    grown = Codebook(
        torch.cat([book.keys, query[None]]),
        torch.cat([book.values, value[None]]),
        torch.cat([radii, radius]),
        (*book.labels, label),
    )
    return grown, len(book.labels)


@contextmanager
def codebook_lookup(
    projection: Projection, book: Codebook, replace: str, ends: Places, *, alone: bool = False
) -> Generator[None]:
    """Context in which a key's value replaces the output of a row whose query is in its radius.

    Args:
        alone: ignores what other codebooks at this projection have replaced.
    """

    def look(module: Any, args: tuple[Any, ...], output: torch.Tensor) -> torch.Tensor | None:
        places = ends()
        if places is None or not len(book.labels):
            return None
        rows = torch.arange(len(output), device=output.device)
        distance, key = book.nearest(args[0][rows, places].detach().float())
        hit = distance <= book.radii.to(distance.device)[key]
        if not bool(hit.any()):
            return None
        whole = module.forward(args[0]) if alone else output
        values = book.values.to(whole.device)[key].to(whole.dtype)
        at = find_replaced(whole, places, replace) & hit[:, None]
        return torch.where(at[..., None], values[:, None, :], whole)

    with forward_hook(projection.module, look):
        yield


def find_replaced(output: torch.Tensor, places: torch.Tensor, replace: str) -> torch.Tensor:
    """Marks the places of each row that a value replaces: (rows, width)."""
    columns = torch.arange(output.shape[1], device=output.device)[None]
    if replace == "last":
        return columns == places[:, None]
    return columns < places[:, None] if replace == "prompt" else columns <= places[:, None]


@contextmanager
def prompt_ends(access: Access) -> Generator[Places]:
    """Context that finds, inside a forward pass of the model, where each row's prompt ends."""
    with prompt_masks(access) as masks:

        def find() -> torch.Tensor | None:
            mask = masks()
            return None if mask is None else find_ends(mask)

        yield find
