"""Training of a prompt encoder on paraphrases (near) and neighbours (far).

    contrastive  y d^2 + (1 - y) max(m - d, 0)^2, the loss of A-GRACE (arXiv 2411.06638)
    InfoNCE      cross-entropy of the own paraphrase among those of the batch and the own
                 neighbours, by cosine / 0.07; ours

Both end when the held-out cases no longer get better: the contrastive loss by itself, InfoNCE by
its AUC. A fixed radius would end it before the encoder has learned anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch.nn.functional import cross_entropy

from pytest_coderobust.editors.prompt_encoder import PromptEncoder, make_weights

EncoderLoss = Literal["infonce", "contrastive"]


@dataclass(frozen=True, slots=True)
class EncoderRecipe:
    """Recipe of a training.

    Attributes:
        margin: distance that the contrastive loss wants between neighbours.
        slope: of the activation; 0 is ReLU.
    """

    loss: EncoderLoss
    margin: float = 1.3
    lr: float = 1e-3
    decay: float = 1e-4
    dropout: float = 0.1
    temperature: float = 0.07
    slope: float = 0.0
    batch: int = 64
    epochs: int = 100
    patience: int = 10


@dataclass(frozen=True, slots=True, eq=False)
class CaseStates:
    """Mean states of some cases, with masks where cases have fewer prompts than others.

    Attributes:
        anchors: (n, d).
        positives, negatives: (n, p, d) and (n, k, d).
        is_positive, is_negative: which of them are real, (n, p) and (n, k).
    """

    anchors: torch.Tensor
    positives: torch.Tensor
    is_positive: torch.Tensor
    negatives: torch.Tensor
    is_negative: torch.Tensor

    def take(self, places: torch.Tensor) -> CaseStates:
        """Takes some of the cases."""
        return CaseStates(
            self.anchors[places],
            self.positives[places],
            self.is_positive[places],
            self.negatives[places],
            self.is_negative[places],
        )

    @property
    def everything(self) -> torch.Tensor:
        """All states, each once: (m, d)."""
        parts = (self.anchors, self.positives[self.is_positive], self.negatives[self.is_negative])
        return torch.cat(parts)


@dataclass(frozen=True, slots=True, eq=False)
class TrainedCodes:
    """Encoder that was trained, with the course of its training.

    Attributes:
        held: of the held-out cases, one an epoch: the loss (contrastive) or the AUC (InfoNCE).
        best: the epoch that was kept, from 1.
    """

    encoder: PromptEncoder
    held: tuple[float, ...]
    best: int


def train_encoder(
    cases: CaseStates, held_out: CaseStates, recipe: EncoderRecipe, seed: int
) -> TrainedCodes:
    """Trains an encoder; the same seed and states give the same one.

    Raises:
        FloatingPointError: the training diverged.
    """
    random = torch.Generator().manual_seed(seed)
    ours = recipe.loss == "infonce"
    weights = make_weights(cases.everything, random, standardise=ours)
    names = ("first", "first_bias", "second", "second_bias")
    trained = [getattr(weights, name).requires_grad_() for name in names]
    encoder = PromptEncoder(weights, recipe.slope, unit=ours)
    optimizer = torch.optim.Adam(trained, lr=recipe.lr, weight_decay=recipe.decay)
    held: list[float] = []
    best: tuple[float, int, list[torch.Tensor]] | None = None
    for _ in range(recipe.epochs):
        order = torch.randperm(len(cases.anchors), generator=random)
        for start in range(0, len(order), recipe.batch):
            places = order[start : start + recipe.batch]
            with torch.enable_grad():
                loss = compute_loss(encoder, cases.take(places), recipe, random)
                optimizer.zero_grad()
                torch.autograd.backward(loss)
            optimizer.step()
        with torch.no_grad():
            held.append(_judge(encoder, held_out, recipe))
        if held[-1] != held[-1]:
            raise FloatingPointError("the encoder's loss is not a number")
        value = held[-1] if ours else -held[-1]
        if best is None or value > best[0]:
            best = value, len(held), [each.detach().clone() for each in trained]
        elif len(held) - best[1] >= recipe.patience:
            break
    assert best is not None
    with torch.no_grad():
        for tensor, kept in zip(trained, best[2], strict=True):
            tensor.requires_grad_(requires_grad=False).copy_(kept)
    return TrainedCodes(encoder, tuple(held), best[1])


def compute_loss(
    encoder: PromptEncoder,
    cases: CaseStates,
    recipe: EncoderRecipe,
    random: torch.Generator | None = None,
) -> torch.Tensor:
    """Computes the loss of some cases, a scalar.

    Args:
        random: draws the dropout; None leaves it out.
    """
    near, far = cases.is_positive, cases.is_negative
    anchors = _encode(encoder, cases.anchors, recipe, random)
    positives = _encode(encoder, cases.positives.flatten(0, 1), recipe, random)
    negatives = _encode(encoder, cases.negatives.flatten(0, 1), recipe, random)
    positives = positives.reshape(*near.shape, -1)
    negatives = negatives.reshape(*far.shape, -1)
    if recipe.loss == "contrastive":
        return contrastive_loss(anchors, positives[near], negatives[far], near, far, recipe.margin)
    # One positive a case and step; the others of the batch are those of other cases.
    chosen = near.float()
    if random is not None:
        chosen = chosen * (0.5 + torch.rand(near.shape, generator=random))
    own = positives[torch.arange(len(near)), chosen.argmax(dim=1)]
    across = anchors @ own.T
    beside = (anchors[:, None] * negatives).sum(dim=-1).masked_fill(~far, float("-inf"))
    scores = torch.cat([across, beside], dim=1) / recipe.temperature
    return cross_entropy(scores, torch.arange(len(anchors)))


def contrastive_loss(
    anchors: torch.Tensor,
    positives: torch.Tensor,
    negatives: torch.Tensor,
    near: torch.Tensor,
    far: torch.Tensor,
    margin: float,
) -> torch.Tensor:
    """Computes the mean of d^2 over near pairs and of max(m - d, 0)^2 over far ones.

    Args:
        positives, negatives: the real ones, (sum near, 256) and (sum far, 256).
        near, far: which case they are of, (n, p) and (n, k).
    """
    pairs = [
        _distance(anchors[mask.nonzero()[:, 0]], others)
        for mask, others in ((near, positives), (far, negatives))
    ]
    losses = torch.cat([pairs[0].square(), (margin - pairs[1]).clamp(min=0).square()])
    return losses.mean()


def compute_auc(near: torch.Tensor, far: torch.Tensor) -> float:
    """Computes the share of (near, far) pairs of distances in the right order; ties count half."""
    order = torch.cat([near, far]).double()
    _, place, counts = torch.unique(order, return_inverse=True, return_counts=True)
    last = counts.cumsum(0).double()
    ranks = (last - (counts.double() - 1) / 2)[place]
    above = float(ranks[len(near) :].sum()) - len(far) * (len(far) + 1) / 2
    return above / (len(near) * len(far))


def _judge(encoder: PromptEncoder, cases: CaseStates, recipe: EncoderRecipe) -> float:
    if recipe.loss == "contrastive":
        return float(compute_loss(encoder, cases, recipe))
    anchors = encoder.encode(cases.anchors)
    near = (encoder.encode(cases.positives) - anchors[:, None]).norm(dim=-1)
    far = (encoder.encode(cases.negatives) - anchors[:, None]).norm(dim=-1)
    return compute_auc(near[cases.is_positive], far[cases.is_negative])


def _encode(
    encoder: PromptEncoder,
    states: torch.Tensor,
    recipe: EncoderRecipe,
    random: torch.Generator | None,
) -> torch.Tensor:
    if random is None or not recipe.dropout:
        return encoder.encode(states)
    hidden = len(encoder.weights.first_bias)
    kept = torch.rand((len(states), hidden), generator=random) >= recipe.dropout
    return encoder.encode(states, kept.float() / (1 - recipe.dropout))


def _distance(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Computes the length of each difference; its gradient at 0 is 0 and not infinite."""
    squares = (left - right).square().sum(dim=-1)
    some = squares > 0
    return torch.where(some, squares.masked_fill(~some, 1.0).sqrt(), 0.0)
