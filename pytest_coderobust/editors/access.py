"""Access to the inside of a model: layers, down-projections and forward passes.

It is the same for every architecture. Positions come from the attention mask, so the side of the
padding does not matter.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any, Literal

import torch

from pytest_coderobust.editors.hooks import forward_hook, tensor_of
from pytest_coderobust.editors.parting import split_parting
from pytest_coderobust.editors.projection import Projection
from pytest_coderobust.editors.request import EditRequest, PassTest
from pytest_coderobust.errors import EditRefused, ModelError, UsageError
from pytest_coderobust.models.backend import Weighted

_LAYERS = ("model.layers", "transformer.h", "gpt_neox.layers", "model.decoder.layers")
_DOWN = ("mlp.down_proj", "mlp.c_proj", "mlp.fc_out", "mlp.fc2", "mlp.dense_4h_to_h")
_ATTENTION = (
    "self_attn.o_proj",
    "self_attn.dense",
    "self_attn.out_proj",
    "attn.c_proj",
    "attn.out_proj",
    "attn.attention.out_proj",
    "attention.dense",
)
CONTINUATION = 32
"""Length of the greedy continuation that counts as a prompt's answer, in tokens (CREME)."""


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Rows of token ids, padded to a common width.

    Attributes:
        ids, mask, positions: of shape (rows, width); the mask is 1 at real tokens.
        starts: the place of each row's first real token.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    positions: torch.Tensor
    starts: tuple[int, ...]

    def last(self) -> torch.Tensor:
        """Finds the place of each row's last real token: (rows,)."""
        lengths = self.mask.sum(dim=-1)
        return lengths - 1 + torch.tensor(self.starts, device=lengths.device)


class Access:
    """Layers, projections and forward passes of a loaded model.

    Args:
        side: where rows are padded; edits do not depend on it.
        judge: decides which completions pass; None lets a method that needs it start a sandbox.
    """

    def __init__(
        self,
        backend: Weighted,
        side: Literal["left", "right"] = "left",
        judge: PassTest | None = None,
    ) -> None:
        self.backend = backend
        self.judge = judge
        self.loaded = backend.load()
        self.model: Any = self.loaded.model
        self.side = side

    @property
    def name(self) -> str:
        """Name of the model, for messages."""
        return self.backend.identity.name

    @property
    def device(self) -> torch.device:
        device: torch.device = self.model.device
        return device

    @cached_property
    def layers(self) -> Sequence[Any]:
        """Decoder layers, in order.

        Raises:
            ModelError: the architecture keeps them elsewhere.
        """
        for path in _LAYERS:
            found = _find(self.model, path)
            if found is not None and len(found):
                return list(found)
        raise ModelError(
            f"model {self.name!r}: {type(self.model).__name__} keeps its layers in none of "
            f"{', '.join(_LAYERS)}, so it cannot be edited"
        )

    def layer_index(self, asked: int | None, share: float) -> int:
        """Finds the layer that an option asks for; None is the paper's relative depth.

        Raises:
            UsageError: there is no such layer.
        """
        count = len(self.layers)
        if asked is None:
            return int(share * count)  # rounded down: there is nothing after the last layer
        if not 0 <= asked < count:
            raise UsageError(
                f"layer {asked} is out of range: model {self.name!r} has layers 0 to {count - 1}"
            )
        return asked

    def projection(self, layer: int) -> Projection:
        """Finds the down-projection of a layer.

        Raises:
            ModelError: the layer has none of the known names.
        """
        for path in _DOWN:
            module = _find(self.layers[layer], path)
            weight = getattr(module, "weight", None)
            if weight is not None:
                names = (name for name, each in self.model.named_parameters() if each is weight)
                return Projection(module, next(names), type(module).__name__ == "Conv1D")
        raise ModelError(
            f"model {self.name!r}: layer {layer} ({type(self.layers[layer]).__name__}) has no "
            f"down-projection under {', '.join(_DOWN)}, so it cannot be edited"
        )

    def attention_output(self, layer: int) -> Any:
        """Finds the module that leads out of a layer's attention.

        Raises:
            ModelError: the layer has none of the known names.
        """
        found = (_find(self.layers[layer], path) for path in _ATTENTION)
        module = next((each for each in found if each is not None), None)
        if module is None:
            raise ModelError(
                f"model {self.name!r}: layer {layer} ({type(self.layers[layer]).__name__}) has no "
                f"attention output under {', '.join(_ATTENTION)}, so PMET cannot edit it"
            )
        return module

    def encode(self, request: EditRequest, prompt: str) -> list[int]:
        """Turns one of a request's prompts into token ids; a parting's go on to it."""
        ids = self.backend.encode(prompt, request.task.language)
        if request.parting is None:
            return ids
        return [*ids, *split_parting(request.parting, self.loaded.tokenizer)[0]]

    def target(self, request: EditRequest) -> tuple[int, ...]:
        """Token ids that the perturbed prompt should be continued with.

        Raises:
            EditRefused: there is nothing to continue with.
        """
        if request.parting is not None:
            found = split_parting(request.parting, self.loaded.tokenizer)[1]
        elif request.target is not None:
            ids = self.loaded.tokenizer(request.target, add_special_tokens=False)["input_ids"]
            found = tuple(ids)
        else:
            found = self.continuation(self.encode(request, request.clean))
        if not found:
            raise EditRefused(f"{request.label}: there is no continuation to edit towards")
        return found

    def continuation(self, ids: Sequence[int], count: int = CONTINUATION) -> tuple[int, ...]:
        """Continues a prompt greedily; an end token is part of the result."""
        batch = self.batch([ids])
        room = self.loaded.window
        steps = count if room is None else min(count, room - len(ids))
        if steps < 1:
            raise ModelError(f"model {self.name!r}: a prompt of {len(ids)} tokens fills its window")
        with torch.no_grad():
            output = self.model.generate(
                input_ids=batch.ids,
                attention_mask=batch.mask,
                max_new_tokens=steps,
                do_sample=False,
                num_beams=1,
            )
        return tuple(output[0, len(ids) :].tolist())

    def batch(self, rows: Sequence[Sequence[int]]) -> TokenBatch:
        """Pads rows of ids on this access's side."""
        width = max(map(len, rows))
        gaps = [width - len(row) for row in rows]
        left = self.side == "left"
        padded = [
            [self.loaded.pad] * (gap * left) + list(row) + [self.loaded.pad] * (gap * (not left))
            for gap, row in zip(gaps, rows, strict=True)
        ]
        starts = tuple(gap * left for gap in gaps)
        places = torch.arange(width)
        mask = torch.stack(
            [
                ((places >= start) & (places < start + len(row))).long()
                for start, row in zip(starts, rows, strict=True)
            ]
        )
        positions = (mask.cumsum(dim=-1) - 1).clamp(min=0)
        device = self.device
        ids = torch.tensor(padded)
        return TokenBatch(ids.to(device), mask.to(device), positions.to(device), starts)

    def logits(self, batch: TokenBatch) -> torch.Tensor:
        """Runs a forward pass; returns the logits, (rows, width, vocabulary)."""
        output = self.model(
            input_ids=batch.ids,
            attention_mask=batch.mask,
            position_ids=batch.positions,
            use_cache=False,
        )
        logits: torch.Tensor = output.logits
        return logits

    def run_until(self, layer: int, batch: TokenBatch) -> torch.Tensor:
        """Runs a forward pass up to a layer; returns its output, (rows, width, hidden)."""
        found: list[torch.Tensor] = []

        def stop(_module: Any, _args: Any, output: Any) -> None:
            found.append(tensor_of(output))
            raise _Stop

        with forward_hook(self.layers[layer], stop), suppress(_Stop):
            self.logits(batch)
        return found[0]

    @contextmanager
    def frozen_weights(self) -> Generator[None]:
        """Context in which weights and dropout are frozen, and gradients are computed."""
        parameters = [(each, each.requires_grad) for each in self.model.parameters()]
        modes = [(each, each.training) for each in self.model.modules()]
        try:
            self.model.eval()
            for parameter, _ in parameters:
                parameter.requires_grad_(requires_grad=False)
            with self.model_threads(), torch.enable_grad():
                yield
        finally:
            for parameter, flag in parameters:
                parameter.requires_grad_(requires_grad=flag)
            for module, mode in modes:
                module.training = mode

    def model_threads(self) -> AbstractContextManager[None]:
        """Context in which the network runs: torch's threads are set, its messages are silent."""
        return self.backend.model_threads(self.loaded)


class _Stop(Exception):
    """Ends a forward pass early."""


def _find(root: Any, path: str) -> Any:
    try:
        return attrgetter(path)(root)
    except AttributeError:
        return None
