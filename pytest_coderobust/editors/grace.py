"""GRACE: a codebook beside one down-projection; the weights stay as they are.

Hartvigsen et al. 2023 (arXiv 2211.11031; editing.md §6). A query is the projection's input at the
prompt's last token. Where it falls into a key's radius, the key's value stands for the output;
everywhere else the output is the module's own tensor, bit for bit.

Departures: the last token follows from the attention mask, so padding does not matter; queries
are made while a prompt is read and not while decoding; labels are compared as token ids, in full.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.hooks import captured, hooked
from pytest_coderobust.editors.options import GraceOptions
from pytest_coderobust.editors.projection import Projection
from pytest_coderobust.editors.protocol import Change, EditRequest, Facts
from pytest_coderobust.editors.targets import loss_at, target_batch
from pytest_coderobust.errors import ModelError
from pytest_coderobust.records import Variant

Places = Callable[[], torch.Tensor | None]
"""Where each row's prompt ends, (rows,); None while decoding."""

_ENOUGH = 1e-2
"""The loss below which a value is not improved further."""


@dataclass(frozen=True, slots=True, eq=False)
class Codebook:
    """Keys (n, inputs), values (n, hidden), radii (n,); each with the ids it answers with."""

    keys: torch.Tensor
    values: torch.Tensor
    radii: torch.Tensor
    labels: tuple[tuple[int, ...], ...]

    def nearest(self, query: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The distance of each query (rows, inputs) to its nearest key, and which key that is."""
        # Differences, not torch.cdist: its matrix form rounds small distances away.
        gaps = (query[:, None, :] - self.keys.to(query.device)).norm(dim=-1)
        found = gaps.min(dim=1)
        return found.values, found.indices


@dataclass(frozen=True, slots=True, eq=False)
class CodebookChange:
    """A codebook in its place.

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
        with prompt_ends(access) as ends, looked_up(projection, self.book, replace, ends):
            yield {}

    def rewritten(self, variants: Sequence[Variant], access: Access) -> list[str]:  # noqa: ARG002
        return [variant.prompt for variant in variants]

    def tensors(self) -> Mapping[str, torch.Tensor]:
        return {"keys": self.book.keys, "values": self.book.values, "radii": self.book.radii}


def codebook_change(tensors: Mapping[str, torch.Tensor], facts: Facts) -> CodebookChange:
    """A saved codebook."""
    labels = cast("list[list[int]]", facts["labels"])
    book = Codebook(tensors["keys"], tensors["values"], tensors["radii"], tuple(map(tuple, labels)))
    return CodebookChange(book, facts)


class Grace:
    """The method; successive edits add keys, and split radii where they meet."""

    name = "grace"

    def __init__(self, options: GraceOptions) -> None:
        self.options = options

    def compute(
        self, access: Access, requests: Sequence[EditRequest], so_far: Change | None = None
    ) -> CodebookChange:
        assert so_far is None or isinstance(so_far, CodebookChange)
        layer = access.layer_index(self.options.layer, 27 / 32)
        projection = access.projection(layer)
        book = so_far.book if so_far else None
        losses: list[float] = []
        for request in requests:
            book, losses = self._learnt(access, projection, request, book)
        assert book is not None
        facts = {
            "layer": layer,
            "replace": self.options.replace,
            "labels": [list(label) for label in book.labels],
            "losses": losses,
        }
        return CodebookChange(book, facts)

    def _learnt(
        self, access: Access, projection: Projection, request: EditRequest, book: Codebook | None
    ) -> tuple[Codebook, list[float]]:
        prompt = access.encode(request, request.perturbed)
        target = access.target(request)
        query, output = _read(access, projection, prompt)
        start = output
        if self.options.init == "cold":
            random = torch.Generator().manual_seed(self.options.seed)
            start = torch.rand(output.shape, generator=random)
        book, place = inserted(book, query, start, target, self.options.epsilon)
        value, losses = self._value(access, projection, prompt, book, place)
        values = book.values.clone()
        values[place] = value
        gain = 1 - min(losses) / losses[0]
        if losses[0] > _ENOUGH and gain < self.options.gain:
            raise ModelError(
                f"{request.label}: GRACE lowered its loss by {gain:.1%} only; another layer or "
                "replace=all may steer the whole continuation"
            )
        return Codebook(book.keys, values, book.radii, book.labels), losses

    def _value(
        self,
        access: Access,
        projection: Projection,
        prompt: Sequence[int],
        book: Codebook,
        place: int,
    ) -> tuple[torch.Tensor, list[float]]:
        """The best value found for one key, and every loss on the way."""
        target = book.labels[place]
        batch, places = target_batch(access, [prompt], target)
        value = book.values[place].clone().to(access.device).requires_grad_()
        optimizer = torch.optim.Adam([value], lr=self.options.lr)
        losses: list[float] = []
        best = value.detach().clone()
        trial = Codebook(book.keys[place : place + 1], value[None], _WIDE, (target,))
        for _ in range(self.options.steps):
            with looked_up(
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


_WIDE = torch.tensor([torch.inf])


def inserted(
    book: Codebook | None,
    query: torch.Tensor,
    value: torch.Tensor,
    label: tuple[int, ...],
    epsilon: float,
) -> tuple[Codebook, int]:
    """The codebook with a key for a query, and that key's place; the rules of the paper.

    Far from every key: a new one. Near a key of the same label: that one grows to cover the
    query. Near a key of another label: a new one, and the two balls are made disjoint.
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
def looked_up(
    projection: Projection, book: Codebook, replace: str, ends: Places, *, alone: bool = False
) -> Generator[None]:
    """The projection's output, replaced where a row's query falls into a key's radius.

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
        at = _replaced(whole, places, replace) & hit[:, None]
        return torch.where(at[..., None], values[:, None, :], whole)

    with hooked(projection.module, look):
        yield


def _replaced(output: torch.Tensor, places: torch.Tensor, replace: str) -> torch.Tensor:
    """Which places of which rows a value stands for: (rows, width)."""
    columns = torch.arange(output.shape[1], device=output.device)[None]
    if replace == "last":
        return columns == places[:, None]
    return columns < places[:, None] if replace == "prompt" else columns <= places[:, None]


@contextmanager
def prompt_ends(access: Access) -> Generator[Places]:
    """Tells, inside a forward pass of the model, where each row's prompt ends."""
    found: list[torch.Tensor | None] = [None]

    def look(_module: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> None:
        ids = options.get("input_ids", args[0] if args else None)
        mask = options.get("attention_mask")
        found[0] = _ends(ids, mask)

    handle = access.model.register_forward_pre_hook(look, with_kwargs=True)
    try:
        yield lambda: found[0]
    finally:
        handle.remove()


def _ends(ids: torch.Tensor | None, mask: object) -> torch.Tensor | None:
    """The last real place of each row; None where the ids only continue a cached prompt."""
    if ids is None:
        return None
    rows, width = ids.shape
    if not isinstance(mask, torch.Tensor) or mask.dim() != 2:
        return None if width == 1 else torch.full((rows,), width - 1, device=ids.device)
    if mask.shape[1] != width:
        return None
    places = torch.arange(width, device=mask.device)
    return (mask.long() * places).argmax(dim=-1)


def _read(
    access: Access, projection: Projection, prompt: Sequence[int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """The projection's input and output at a prompt's last token, in float32."""
    with ExitStack() as stack, torch.no_grad():
        inputs = stack.enter_context(captured(projection.module, "input"))
        outputs = stack.enter_context(captured(projection.module, "output"))
        batch = access.batch([prompt])
        access.logits(batch)
    last = int(batch.last()[0])
    return inputs[0][0, last].float().cpu(), outputs[0][0, last].float().cpu()
