"""Batches of encoded samples, shuffled by the seed; rows of a batch have nearly equal lengths."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer

from pytest_coderobust.tiny.network import END_ID, PAD_ID
from pytest_coderobust.tiny.sample import TrainingSample

_BUCKET = 50
"""Number of batches whose samples are sorted by length together.

It is large enough to save padding, and small enough for samples of all lengths to stay mixed.
"""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of a sample, and the index in them at which its answer starts."""

    ids: tuple[int, ...]
    answer: int


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """Inputs and targets of one step.

    Attributes:
        inputs: (rows, length) token ids, padded on the right.
        targets: (rows, length) the next token, PAD where there is none.
        answers: (rows, length) True where the target belongs to the answer.
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    answers: torch.Tensor


def encode(samples: Sequence[TrainingSample], tokenizer: Tokenizer) -> list[Encoded]:
    """Encodes prompt and answer of each sample separately and ends the answer."""
    prompts = tokenizer.encode_batch([sample.prompt for sample in samples])
    answers = tokenizer.encode_batch([sample.answer for sample in samples])
    return [
        Encoded((*prompt.ids, *answer.ids, END_ID), len(prompt.ids))
        for prompt, answer in zip(prompts, answers, strict=True)
    ]


def batches(encoded: Sequence[Encoded], size: int, seed: int) -> Iterator[TrainingBatch]:
    """Yields every sample once, in batches of `size`; an incomplete last batch is left out."""
    rng = random.Random(f"tiny batches {seed}")
    order = list(encoded)
    rng.shuffle(order)
    order = order[: len(order) // size * size]
    for start in range(0, len(order), size * _BUCKET):
        bucket = sorted(order[start : start + size * _BUCKET], key=lambda one: len(one.ids))
        starts = list(range(0, len(bucket), size))
        rng.shuffle(starts)
        for first in starts:
            yield collate(bucket[first : first + size])


def collate(rows: Sequence[Encoded]) -> TrainingBatch:
    """Makes a batch of rows, padded to the longest."""
    length = max(len(row.ids) for row in rows)
    ids = torch.full((len(rows), length), PAD_ID)
    answers = torch.zeros((len(rows), length), dtype=torch.bool)
    for i, row in enumerate(rows):
        ids[i, : len(row.ids)] = torch.tensor(row.ids)
        answers[i, row.answer : len(row.ids)] = True
    return TrainingBatch(ids[:, :-1], ids[:, 1:], answers[:, 1:])
