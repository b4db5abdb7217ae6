"""The training loop: AdamW in cycles, with a loss on everything first and then on the answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy

from pytest_coderobust.tiny import network, vocabulary
from pytest_coderobust.tiny.batches import Encoded, TrainingBatch, batches, encode
from pytest_coderobust.tiny.corpus import training_samples
from pytest_coderobust.tiny.network import PAD_ID
from pytest_coderobust.tiny.recipe import Cycle, TrainingRecipe

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """Figures of one step of training."""

    number: int
    loss: float
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished training."""

    model: LlamaForCausalLM
    tokenizer: Tokenizer
    losses: tuple[float, ...]
    tokens: int
    seconds: float

    def save(self, recipe: TrainingRecipe, folder: Path) -> None:
        """Writes a checkpoint that transformers loads by its path."""
        folder.mkdir(parents=True, exist_ok=True)
        network.save(self.model, recipe, folder)
        vocabulary.save(self.tokenizer, folder, recipe.context)


def train(
    recipe: TrainingRecipe,
    device: str = "cpu",
    report: Callable[[TrainingStep], None] = lambda _: None,
) -> Trained:
    """Trains a new model; on one thread of a CPU the same recipe gives the same weights."""
    begun = time.monotonic()
    torch.manual_seed(recipe.seed)
    stream = training_samples(recipe.seed, sum(recipe.samples))
    cycles = [list(islice(stream, size)) for size in recipe.samples]
    tokenizer = vocabulary.learn((s.prompt + s.answer for s in cycles[0]), recipe.vocabulary)
    model = network.build(recipe)
    _place(model, device, training=True)
    steps = _cycles(model, [encode(samples, tokenizer) for samples in cycles], recipe, device)
    losses: list[float] = []
    tokens = 0
    for step in islice(steps, recipe.run_steps):
        losses.append(step.loss)
        tokens += step.tokens
        report(step)
    _place(model, device, training=False)
    return Trained(model, tokenizer, tuple(losses), tokens, time.monotonic() - begun)


def _place(module: torch.nn.Module, device: str, training: bool) -> None:
    module.to(torch.device(device)).train(training)


def _cycles(
    model: LlamaForCausalLM,
    encoded: Sequence[Sequence[Encoded]],
    recipe: TrainingRecipe,
    device: str,
) -> Iterator[TrainingStep]:
    for number, (cycle, rows) in enumerate(zip(recipe.cycles, encoded, strict=True)):
        if number:
            # These are the weights that a checkpoint holds: training could continue from one.
            network.round_to_storage(model)
        yield from run_cycle(model, cycle, rows, recipe, recipe.seed + number, device)


def run_cycle(
    model: LlamaForCausalLM,
    cycle: Cycle,
    rows: Sequence[Encoded],
    recipe: TrainingRecipe,
    seed: int,
    device: str,
) -> Iterator[TrainingStep]:
    """Trains through one rise and fall of the learning rate, with a new optimizer."""
    optimizer = torch.optim.AdamW(
        _groups(model, recipe.decay), lr=cycle.rate, betas=(0.9, 0.98), fused=True
    )
    planned = len(rows) // recipe.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, cycle.rate, total_steps=planned + 1, pct_start=recipe.warm, cycle_momentum=False
    )
    for number, batch in enumerate(batches(rows, recipe.batch, seed)):
        begun = time.monotonic()
        loss = answer_loss(model, batch, device, broad=number < cycle.broad * planned)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        yield TrainingStep(number, loss.item(), batch.inputs.numel(), time.monotonic() - begun)


def answer_loss(
    model: LlamaForCausalLM, batch: TrainingBatch, device: str, broad: bool
) -> torch.Tensor:
    """Computes the mean cross-entropy of the answer's tokens, or of every token when `broad`.

    Only the positions that count go through the head, which is a tenth of the work.
    """
    targets = batch.targets.to(device)
    counted = targets != PAD_ID if broad else batch.answers.to(device)
    hidden = model.model(input_ids=batch.inputs.to(device), use_cache=False).last_hidden_state
    logits = model.lm_head(hidden[counted])  # (counted tokens, vocabulary)
    return cross_entropy(logits.float(), targets[counted])


def _groups(model: LlamaForCausalLM, decay: float) -> list[dict[str, object]]:
    """Splits the parameters into matrices, which decay, and gains, which do not."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    gains = [p for p in model.parameters() if p.dim() <= 1]
    return [{"params": matrices, "weight_decay": decay}, {"params": gains, "weight_decay": 0.0}]
