"""Decoding of one batch: left padding, and each row's own noise, end and text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from transformers import LogitsProcessorList, StoppingCriteriaList

from pytest_coderobust.models.branches import Start, read_prompts, write_rows
from pytest_coderobust.models.extraction.thoughts import find_answer_start
from pytest_coderobust.models.loaded_model import LoadedModel
from pytest_coderobust.models.sampling import Chooser, RefuseNaN, RowNoise
from pytest_coderobust.models.stops import EndTest, StopStrings, cut_at_stop
from pytest_coderobust.models.thought_tags import make_decoder
from pytest_coderobust.models.watch import IGNORED, GenerationWatch
from pytest_coderobust.records import Completion, Finish, Sampling


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids of a prompt, with the noise of one row.

    Attributes:
        noise: seeds the row's own generator.
        tags: the opening and the closing tag of thoughts that count besides the known ones.
        opened: the thought's opening tag that the end of the prompt wrote, or "".
    """

    ids: tuple[int, ...]
    noise: int
    tags: tuple[str, ...] = ()
    opened: str = ""


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
    text = _Text(loaded, prompts)
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
    text = _Text(loaded, prompts)
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

    def __init__(self, text: _Text, sampling: Sampling, watch: GenerationWatch) -> None:
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


class _Text:
    """Texts of the token ids that follow prompts."""

    def __init__(self, loaded: LoadedModel, prompts: Sequence[Prompt]) -> None:
        self._loaded = loaded
        self._decode = make_decoder(loaded.tokenizer, {t for each in prompts for t in each.tags})
        self._heads = {ids: self._decode(ids) for ids in {prompt.ids for prompt in prompts}}
        self._prompts = prompts

    def ends(self, sampling: Sampling) -> EndTest:
        """Makes the test of whether a token is a row's last."""
        return EndTest(sampling.stop, self._decode, self.text, self._loaded.eos)

    def text(self, row: int, ids: Sequence[int]) -> str:
        """Text that the ids add to the row's prompt.

        Prompt and ids are decoded together, because a tokenizer may drop the space that a text
        starts with, and that space is the first line's indent.
        """
        prompt = self._prompts[row].ids
        head = self._heads[prompt]
        whole = self._decode((*prompt, *ids))
        return whole[len(head) :] if whole.startswith(head) else whole[_common(head, whole) :]

    def completion(self, row: int, ids: Sequence[int], sampling: Sampling) -> Completion:
        end = next((place for place, token in enumerate(ids) if token in self._loaded.eos), None)
        kept = ids if end is None else ids[:end]
        text = self.text(row, kept)
        before = cut_at_stop(text, sampling.stop)
        finish: Finish = "length" if end is None else "eos"
        if before is not None:
            text, finish = before, "stop"
        thought = self._count_thought(row, kept, text)
        return Completion(text, finish, len(kept), thought, self._prompts[row].opened)

    def _count_thought(self, row: int, ids: Sequence[int], text: str) -> int:
        """Counts the tokens up to the end of the last thought; all where it never ends."""
        prompt = self._prompts[row]
        end = find_answer_start(prompt.opened + text, prompt.tags)
        if end is None:
            return len(ids)
        length = end - len(prompt.opened)
        if length <= 0:
            return 0
        return bisect_left(range(len(ids)), length, key=lambda n: len(self.text(row, ids[:n])))


def _common(left: str, right: str) -> int:
    """Length of the common start."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(left), len(right)))
