"""Teacher-forced losses of a target as the continuation of a prompt."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import cross_entropy

from pytest_coderobust.editors.access import Access, TokenBatch


def target_batch(
    access: Access, prompts: Sequence[Sequence[int]], target: Sequence[int]
) -> tuple[TokenBatch, torch.Tensor]:
    """Puts the target behind each prompt, and finds where its tokens are predicted.

    Ids are concatenated, never texts: a text need not tokenise into its parts.

    Returns:
        The batch without the last target token, and the places that predict the target's tokens,
        (rows, target).
    """
    batch = access.batch([[*prompt, *target[:-1]] for prompt in prompts])
    first = [start + len(prompt) - 1 for start, prompt in zip(batch.starts, prompts, strict=True)]
    steps = torch.arange(len(target), device=batch.ids.device)
    places = torch.tensor(first, device=batch.ids.device)[:, None] + steps
    return batch, places


def loss_at(logits: torch.Tensor, places: torch.Tensor, target: Sequence[int]) -> torch.Tensor:
    """Computes the mean cross-entropy of the target's tokens at their places, (rows, target)."""
    rows = torch.arange(len(places), device=logits.device)[:, None]
    wanted = torch.tensor(target, device=logits.device).expand(len(places), -1)
    return cross_entropy(logits[rows, places].float().flatten(0, 1), wanted.flatten())


def target_loss(
    access: Access, prompts: Sequence[Sequence[int]], target: Sequence[int]
) -> torch.Tensor:
    """Computes the mean cross-entropy of a target's tokens behind each prompt, a scalar."""
    batch, places = target_batch(access, prompts, target)
    return loss_at(access.logits(batch), places, target)


def is_met(logits: torch.Tensor, places: torch.Tensor, target: Sequence[int]) -> bool:
    """Whether every token of the target is the likeliest in every row."""
    rows = torch.arange(len(places), device=logits.device)[:, None]
    found = logits[rows, places].argmax(dim=-1)
    return bool((found == torch.tensor(target, device=logits.device)).all())
