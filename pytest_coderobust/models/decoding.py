"""Decoding of one batch: left padding, and each row's own noise, end and text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from transformers import LogitsProcessorList, StoppingCriteriaList

from pytest_coderobust.models.branches import Start, read_prompts, write_rows
from pytest_coderobust.models.completion_text import CompletionTexts, Prompt
from pytest_coderobust.models.loaded_model import LoadedModel
from pytest_coderobust.models.sampling import Chooser, RefuseNaN, RowNoise
from pytest_coderobust.models.stops import StopStrings
from pytest_coderobust.models.thought_tags import make_decoder
from pytest_coderobust.models.watch import IGNORED, GenerationWatch
from pytest_coderobust.records import Completion, Sampling


def decode_batch(
    loaded: LoadedModel,
    prompts: Sequence[Prompt],
    sampling: Sampling,
    steps: int,
    watch: GenerationWatch = IGNORED,
) -> list[Completion]:
    """Completes every prompt with up to `steps` tokens; equal prompts are read once."""
    distinct = list(dict.fromkeys(prompt.ids for prompt in prompts))
    start = read_prompts(loaded.model, *pad_left(loaded, distinct))
    if start is None:
        return generate_by_transformers(loaded, prompts, sampling, steps, watch)
    number = {ids: place for place, ids in enumerate(distinct)}
    places = [number[prompt.ids] for prompt in prompts]
    return continue_prompts(loaded, start, prompts, places, sampling, steps, watch)


def continue_prompts(
    loaded: LoadedModel,
    start: Start,
    prompts: Sequence[Prompt],
    places: Sequence[int],
    sampling: Sampling,
    steps: int,
    watch: GenerationWatch = IGNORED,
) -> list[Completion]:
    """Completes prompts that were read already, each at its place of the start."""
    text = make_texts(loaded, prompts)
    noise = [prompt.noise for prompt in prompts]
    chooser = Chooser(noise, steps, sampling)
    answers = _Answers(text, sampling, watch)
    write_rows(loaded.model, start, places, chooser, steps, text.ends(sampling), answers.step)
    return [answers.found[row] for row in range(len(prompts))]


def pad_left(
    loaded: LoadedModel, rows: Sequence[Sequence[int]]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pads rows on the left; returns ids and mask, both (rows, width), on the model's device."""
    width = max(map(len, rows))
    gaps = [width - len(row) for row in rows]
    ids = [[loaded.pad] * gap + list(row) for gap, row in zip(gaps, rows, strict=True)]
    mask = [[0] * gap + [1] * (width - gap) for gap in gaps]
    device = loaded.model.device
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def generate_by_transformers(
    loaded: LoadedModel,
    prompts: Sequence[Prompt],
    sampling: Sampling,
    steps: int,
    watch: GenerationWatch = IGNORED,
) -> list[Completion]:
    """Completes prompts by transformers' own generation.

    For networks that keep more, or less, than keys and values of every token.
    """
    text = make_texts(loaded, prompts)
    ids, mask = pad_left(loaded, [prompt.ids for prompt in prompts])
    width = ids.shape[1]
    answers = _Answers(text, sampling, watch)
    stops = StopStrings(text.ends(sampling), width, answers.step)
    choices = LogitsProcessorList([RefuseNaN()])
    if not sampling.greedy:
        noise = [prompt.noise for prompt in prompts]
        choices.append(RowNoise(noise, width, steps, sampling.temperature, sampling.top_p))
    output = loaded.model.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=steps,
        do_sample=False,
        num_beams=1,
        use_cache=True,
        logits_processor=choices,
        stopping_criteria=StoppingCriteriaList([stops]),
    )
    new = output[:, width:].tolist()
    answers.step(0, {row: ids for row, ids in enumerate(new) if row not in stops.ended})
    return [answers.found[row] for row in range(len(prompts))]


class _Answers:
    """Completions of the rows that have ended, told to the watch as they come."""

    def __init__(self, text: CompletionTexts, sampling: Sampling, watch: GenerationWatch) -> None:
        self._text = text
        self._sampling = sampling
        self._watch = watch
        self.found: dict[int, Completion] = {}

    def step(self, tokens: int, ended: Mapping[int, Sequence[int]]) -> None:
        """Hears of a step of the batch, as `branches.StepListener` says."""
        self._watch.wrote(tokens)
        if ended:
            new = {
                row: self._text.completion(row, ids, self._sampling) for row, ids in ended.items()
            }
            self.found.update(new)
            self._watch.ended(new)


def make_texts(loaded: LoadedModel, prompts: Sequence[Prompt]) -> CompletionTexts:
    """Makes the texts of completions behind prompts."""
    decode = make_decoder(loaded.tokenizer, {tag for each in prompts for tag in each.tags})
    return CompletionTexts(decode, loaded.eos, prompts)
