"""Localisation of the key layer by CREME's layer-wise causal intervention.

At each layer the clean prompt's states replace the perturbed prompt's while the prompt is read; the
model then writes, and the tests show how much of the lost pass rate came back (arXiv 2507.16407,
Eq. 4). The rows of all layers share batches: a row is patched at its own layer only, and the common
part of a layer's samples is computed once.

Not restored: decoding sees the perturbed states below the patched layer, in the paper as here.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.alignment import Pairs, align
from pytest_coderobust.editors.hooks import forward_hook, tensor_of, with_tensor
from pytest_coderobust.editors.options import CremeOptions
from pytest_coderobust.editors.protocol import EditRequest, PassTest
from pytest_coderobust.errors import EditRefused, ModelError
from pytest_coderobust.models.batches import Batches
from pytest_coderobust.models.branches import read_prompts
from pytest_coderobust.models.completion_text import Prompt
from pytest_coderobust.models.decoding import continue_prompts, decode_batch, pad_left
from pytest_coderobust.records import Sampling, Task, digest

ROWS = 128
"""Number of rows of a sweep that share a batch; fewer when memory runs out."""


@dataclass(frozen=True, slots=True)
class LayerEffect:
    """Effect of patching one layer.

    Attributes:
        rate: the share of patched samples that pass.
        improvement: the share of the lost pass rate that came back, at least 0 (RI).
        distance: Frobenius norm between the two prompts' states at the layer's output.
    """

    rate: float
    improvement: float
    distance: float


@dataclass(frozen=True, slots=True)
class Trace:
    """The profile of one request over all layers.

    Attributes:
        clean, perturbed: pass rates without a patch.
        key: the key layer: the most improvement; of several, the greatest distance; None where no
            layer restores anything.
    """

    clean: float
    perturbed: float
    layers: tuple[LayerEffect, ...]
    key: int | None

    @property
    def profile(self) -> tuple[float, ...]:
        """The improvement at each layer."""
        return tuple(effect.improvement for effect in self.layers)


@dataclass(frozen=True, slots=True)
class Patched:
    """One row of a sweep: the layer that is patched in it (None is no layer), and its noise."""

    layer: int | None
    noise: int


def trace(access: Access, request: EditRequest, options: CremeOptions, judge: PassTest) -> Trace:
    """Finds the key layer of a request.

    Raises:
        EditRefused: no sample of the clean prompt passes, so nothing could come back.
    """
    samples = 1 if options.temperature == 0 else options.samples
    seeds = [int(digest("trace", request.digest, place)[:16], 16) for place in range(samples)]
    depth = len(access.layers)
    sweep = Sweep(access, request, options)
    clean = _rate(request.task, sweep.plain(request.clean, seeds), judge)
    if clean == 0:
        raise EditRefused(
            f"{request.label}: the clean prompt passes in none of {samples} samples, so no layer "
            "can restore anything; name one (layer=N) or choose another task"
        )
    groups: list[int | None] = [None, *range(depth)]
    texts = sweep.run([Patched(layer, seed) for layer in groups for seed in seeds])
    rates = [
        _rate(request.task, texts[place * samples : (place + 1) * samples], judge)
        for place in range(depth + 1)
    ]
    perturbed, *patched = rates
    gaps = distances(access, request)
    improvements = [improvement(rate, clean, perturbed) for rate in patched]
    effects = tuple(LayerEffect(*each) for each in zip(patched, improvements, gaps, strict=True))
    return Trace(clean, perturbed, effects, key_layer(effects))


def improvement(rate: float, clean: float, perturbed: float) -> float:
    """Computes RI, the share of the lost pass rate that came back; 0 where none was lost."""
    gap = clean - perturbed
    return max(0.0, (rate - perturbed) / gap) if gap > 0 else 0.0


def key_layer(effects: Sequence[LayerEffect]) -> int | None:
    """Finds the layer of the most improvement; None where there is no improvement.

    Ten samples tie often: the greatest distance between the two prompts' states decides then.
    """
    best = max(effect.improvement for effect in effects)
    if best <= 0:
        return None
    candidates = [place for place, each in enumerate(effects) if each.improvement == best]
    return max(candidates, key=lambda place: (effects[place].distance, -place))


def distances(access: Access, request: EditRequest) -> list[float]:
    """Computes the Frobenius norm between both prompts' states at every layer."""
    prompts = [access.encode(request, text) for text in (request.clean, request.perturbed)]
    batch = access.batch(prompts)
    found: list[float] = []

    def look(_module: Any, _args: Any, output: Any) -> None:
        clean, perturbed = tensor_of(output).float()
        found.append(float((clean - perturbed).norm()))

    with ExitStack() as stack, torch.no_grad():
        for layer in access.layers:
            stack.enter_context(forward_hook(layer, look))
        access.logits(batch)
    return found


class Sweep:
    """Answers to the perturbed prompt with the clean prompt's states at one layer or another."""

    def __init__(self, access: Access, request: EditRequest, options: CremeOptions) -> None:
        self._access = access
        self._language = request.task.language
        self._clean = tuple(access.encode(request, request.clean))
        self._perturbed = tuple(access.encode(request, request.perturbed))
        self._pairs = align(self._clean, self._perturbed, options.align)
        self._pads = options.align == "paper"
        self._batches = Batches(ROWS)
        self._sampling = Sampling(
            temperature=options.temperature,
            top_p=options.top_p,
            max_new_tokens=options.sweep_tokens,
        )

    def plain(self, prompt: str, seeds: Sequence[int]) -> list[str]:
        """Continues a prompt without a patch, once for each seed."""
        ids = tuple(self._access.backend.encode(prompt, self._language))
        return self._batches.run([Prompt(ids, seed) for seed in seeds], self._decode_unpatched)

    def run(self, rows: Sequence[Patched]) -> list[str]:
        """Continues the perturbed prompt in every row, patched at the row's layer."""
        return self._batches.run(rows, self._decode_patched)

    def _decode_unpatched(self, prompts: Sequence[Prompt]) -> list[str]:
        steps = self._steps(len(prompts[0].ids))
        answers = decode_batch(self._access.loaded, prompts, self._sampling, steps)
        return [answer.text for answer in answers]

    def _decode_patched(self, rows: Sequence[Patched]) -> list[str]:
        # The clean prompt is the first one, the source of every patch; nothing is written after it.
        layers = list(dict.fromkeys(row.layer for row in rows))
        places = [1 + layers.index(row.layer) for row in rows]
        ids = [self._clean, *[self._perturbed] * len(layers)]
        loaded = self._access.loaded
        with self.patches(layers):
            start = read_prompts(self._access.model, *pad_left(loaded, ids))
        if start is None:
            raise ModelError(
                f"model {self._access.name!r}: {type(self._access.model).__name__} remembers in a "
                "way of its own, so its layers cannot be traced; name one (layer=N)"
            )
        prompts = [Prompt(self._perturbed, row.noise) for row in rows]
        steps = self._steps(self._width)
        answers = continue_prompts(loaded, start, prompts, places, self._sampling, steps)
        return [answer.text for answer in answers]

    def _steps(self, width: int) -> int:
        """Number of tokens that may follow prompts of this width."""
        window = self._access.loaded.window
        wanted = self._sampling.max_new_tokens
        return wanted if window is None else max(1, min(wanted, window - width))

    @property
    def _width(self) -> int:
        return max(len(self._clean), len(self._perturbed))

    @property
    def _places(self) -> Pairs:
        """Pairs of places (to, source) in a batch of both prompts that is padded on the left."""
        if self._pads:
            return tuple((place, place) for place in range(self._width))
        left, right = (self._width - len(ids) for ids in (self._perturbed, self._clean))
        return tuple((left + to, right + source) for to, source in self._pairs)

    @contextmanager
    def patches(self, layers: Sequence[int | None]) -> Generator[None]:
        """Context in which row i + 1 of a prompt batch is patched at `layers[i]`.

        The batch is padded on the left, and its first row is the clean prompt.
        """
        device = self._access.device
        to, source = (
            torch.tensor([pair[side] for pair in self._places], dtype=torch.long, device=device)
            for side in (0, 1)
        )
        with ExitStack() as stack:
            for layer in {layer for layer in layers if layer is not None}:
                rows = [place + 1 for place, each in enumerate(layers) if each == layer]
                patch = _Patch(rows, to, source, self._width)
                stack.enter_context(forward_hook(self._access.layers[layer], patch))
            yield


@dataclass(slots=True)
class _Patch:
    """Hook that copies row 0's states at `source` to `rows` at `to`, once, while a prompt is read.

    Attributes:
        width: of the pass that reads the prompts; any other is left alone.
    """

    rows: Sequence[int]
    to: torch.Tensor
    source: torch.Tensor
    width: int
    done: bool = False

    def __call__(self, _module: Any, _args: Any, output: Any) -> Any:
        states = tensor_of(output)  # (rows, width, hidden)
        if self.done or states.shape[1] != self.width:
            return None
        self.done = True
        patched = states.clone()
        for row in self.rows:
            patched[row, self.to] = states[0, self.source]
        return with_tensor(output, patched)


def _rate(task: Task, texts: Sequence[str], judge: PassTest) -> float:
    passed = judge(task, texts)
    return sum(passed) / len(passed)
