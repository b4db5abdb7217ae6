"""One batch of prompts through a model: left padding, each row's own noise, end and text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import LogitsProcessorList, StoppingCriteriaList

from pytest_coderobust.models.loading import Loaded
from pytest_coderobust.models.sampling import RefuseNaN, RowNoise
from pytest_coderobust.models.stopping import StopStrings, cut_at_stop, decode
from pytest_coderobust.records import Completion, Sampling


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as the model reads it.

    Attributes:
        noise: seeds the row's own generator.
    """

    ids: tuple[int, ...]
    noise: int


def decode_batch(
    loaded: Loaded,
    prompts: Sequence[Prompt],
    sampling: Sampling,
    steps: int,
    past: Any = None,
) -> list[Completion]:
    """Completes every prompt with up to `steps` tokens.

    Args:
        past: the cache of a forward pass over the start of every row, pads included.
    """
    batch = _Batch(loaded, prompts)
    device = loaded.model.device
    stops = batch.stops(sampling)
    output = loaded.model.generate(
        input_ids=batch.ids.to(device),
        attention_mask=batch.mask.to(device),
        max_new_tokens=steps,
        do_sample=False,
        num_beams=1,
        use_cache=True,
        **({} if past is None else {"past_key_values": past}),
        logits_processor=batch.choices(sampling, steps),
        stopping_criteria=StoppingCriteriaList([stops] if stops else []),
    )
    lengths = stops.lengths if stops else {}
    new = output[:, batch.width :].tolist()
    return [
        batch.completion(row, ids[: lengths.get(row, len(ids))], sampling)
        for row, ids in enumerate(new)
    ]


class _Batch:
    """Prompts padded on the left, and how to read what is written after them."""

    def __init__(self, loaded: Loaded, prompts: Sequence[Prompt]) -> None:
        self._loaded = loaded
        self._heads = [decode(loaded.tokenizer, prompt.ids) for prompt in prompts]
        self._prompts = prompts
        self.width = max(len(prompt.ids) for prompt in prompts)
        gaps = [self.width - len(prompt.ids) for prompt in prompts]
        rows = zip(gaps, prompts, strict=True)
        # Both have the shape (rows, width).
        self.ids = torch.tensor([[loaded.pad] * gap + list(prompt.ids) for gap, prompt in rows])
        self.mask = torch.tensor([[0] * gap + [1] * (self.width - gap) for gap in gaps])

    def choices(self, sampling: Sampling, steps: int) -> LogitsProcessorList:
        """What chooses the next token; without the row's noise, the highest score does."""
        chain = LogitsProcessorList([RefuseNaN()])
        if not sampling.greedy:
            noise = [prompt.noise for prompt in self._prompts]
            chain.append(RowNoise(noise, self.width, steps, sampling.temperature, sampling.top_p))
        return chain

    def stops(self, sampling: Sampling) -> StopStrings | None:
        tokenizer: Any = self._loaded.tokenizer
        if not sampling.stop:
            return None
        return StopStrings(sampling.stop, self.width, tokenizer, self.text, self._loaded.eos)

    def text(self, row: int, ids: Sequence[int]) -> str:
        """What the ids add to the row's prompt.

        Decoded behind the prompt, because a tokenizer may drop the space that a text starts with,
        and that space is the first line's indent.
        """
        head = self._heads[row]
        whole = decode(self._loaded.tokenizer, (*self._prompts[row].ids, *ids))
        return whole[len(head) :] if whole.startswith(head) else whole[_common(head, whole) :]

    def completion(self, row: int, ids: Sequence[int], sampling: Sampling) -> Completion:
        end = next((place for place, token in enumerate(ids) if token in self._loaded.eos), None)
        kept = ids if end is None else ids[:end]
        text = self.text(row, kept)
        before = cut_at_stop(text, sampling.stop)
        if before is not None:
            return Completion(before, "stop", len(kept))
        return Completion(text, "length" if end is None else "eos", len(kept))


def _common(left: str, right: str) -> int:
    """Length of the common start."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(left), len(right)))
