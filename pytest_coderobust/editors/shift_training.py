"""Training of MALMEN's hyper-network: edits of a few cases at once, and what they do to others.

    L = CE(target | rewrite) + locality KL(P_0 || P_edited) on neighbours' answers

The model's own weights are never written: a projection computes with a copy that holds the shift.
The gradient goes through the solution by hand (`shift_solving`), so no graph of the model is kept.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch.nn.functional import kl_div

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.edit_traces import EditTrace, TaughtPrompt, read_traces
from pytest_coderobust.editors.projection import Projection, trainable_weight
from pytest_coderobust.editors.shift_network import (
    PARAMETERS,
    ShiftNetwork,
    copy_network,
    make_network,
)
from pytest_coderobust.editors.shift_solving import solve_gradient, solve_shift
from pytest_coderobust.editors.targets import loss_at, target_batch


@dataclass(frozen=True, slots=True)
class ShiftCase:
    """Training case: an edit, the same in other words, and neighbours with their own answers."""

    edit: TaughtPrompt
    rewrite: TaughtPrompt
    neighbours: tuple[TaughtPrompt, ...]


@dataclass(frozen=True, slots=True)
class ShiftRecipe:
    """Recipe of a training; see `MalmenOptions`."""

    steps: int
    edits: int
    lr: float
    locality: float
    clip: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class ShiftLoss:
    """Loss of edited weights, and its gradients by the shifts, (in, out) each."""

    rewrite: float
    locality: float
    gradients: Sequence[torch.Tensor]


def train_network(
    access: Access,
    projections: Sequence[Projection],
    network: ShiftNetwork,
    cases: Sequence[ShiftCase],
    recipe: ShiftRecipe,
    seed: int,
) -> tuple[ShiftNetwork, list[float]]:
    """Trains a network on cases; returns it with the loss of every step.

    Raises:
        FloatingPointError: the training diverged.
    """
    trained = copy_network(network)
    parameters = [getattr(trained, name) for name in PARAMETERS]
    optimizer = torch.optim.Adam(parameters, lr=recipe.lr)
    order = random.Random(f"shift training {seed}")
    losses: list[float] = []
    for _ in range(recipe.steps):
        chosen = order.sample(list(cases), min(recipe.edits, len(cases)))
        traces = read_traces(access, projections, [case.edit for case in chosen])
        with torch.no_grad():
            for trace in traces:
                trained.observe(trace.inputs, trace.gradients)
        shifts = compute_shifts(trained, traces)
        loss = measure_loss(access, projections, shifts, chosen, recipe.locality)
        losses.append(loss.rewrite + recipe.locality * loss.locality)
        if losses[-1] != losses[-1]:
            raise FloatingPointError("the hyper-network's loss is not a number")
        optimizer.zero_grad()
        spread_gradients(trained, traces, shifts, loss.gradients)
        torch.nn.utils.clip_grad_norm_(parameters, recipe.clip)
        optimizer.step()
    return copy_network(trained, ()), losses


def compute_shifts(network: ShiftNetwork, traces: Sequence[EditTrace]) -> list[torch.Tensor]:
    """Computes the shift of each layer, (in, out) in float64."""
    with torch.no_grad():
        return [
            solve_shift(
                trace.inputs.double(),
                network.want(trace.inputs, trace.gradients, layer).double(),
                float(network.ridge[layer].exp()),
            )
            for layer, trace in enumerate(traces)
        ]


def measure_loss(
    access: Access,
    projections: Sequence[Projection],
    shifts: Sequence[torch.Tensor],
    cases: Sequence[ShiftCase],
    locality: float,
) -> ShiftLoss:
    """Measures the loss of the model with shifted weights, and its gradients by the shifts."""
    around = [each for case in cases for each in case.neighbours]
    with torch.no_grad():
        before = [_distributions(access, each) for each in around]
    total, apart = 0.0, 0.0
    with ExitStack() as stack, torch.enable_grad():
        weights = [stack.enter_context(trainable_weight(each)) for each in projections]
        with torch.no_grad():
            for weight, shift in zip(weights, shifts, strict=True):
                weight.add_(shift.T.to(weight.device, weight.dtype))
        for case in cases:
            batch, places = target_batch(access, [case.rewrite.prompt], case.rewrite.target)
            loss = loss_at(access.logits(batch), places, case.rewrite.target) / len(cases)
            torch.autograd.backward(loss)
            total += loss.item()
        for neighbour, base in zip(around, before, strict=True):
            after = _distributions(access, neighbour)
            loss = kl_div(after, base, log_target=True, reduction="batchmean") / len(around)
            torch.autograd.backward(locality * loss)
            apart += loss.item()
        gradients = [
            torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights
        ]
    return ShiftLoss(total, apart, [each.T.cpu().double() for each in gradients])


def spread_gradients(
    network: ShiftNetwork,
    traces: Sequence[EditTrace],
    shifts: Sequence[torch.Tensor],
    gradients: Sequence[torch.Tensor],
) -> None:
    """Adds the gradients of the loss to those of the network's parameters."""
    for layer, (trace, shift, gradient) in enumerate(zip(traces, shifts, gradients, strict=True)):
        ridge = float(network.ridge[layer].detach().exp())
        inputs = trace.inputs.double()
        solved = solve_gradient(inputs, gradient, ridge)
        with torch.enable_grad():
            wanted = network.want(trace.inputs, trace.gradients, layer)
            pull = (inputs @ solved).to(wanted.dtype)
            own = -ridge * float((solved * shift).sum())
            torch.autograd.backward((pull * wanted).sum() + own * network.ridge[layer])


def search_eta(
    access: Access,
    projections: Sequence[Projection],
    cases: Sequence[ShiftCase],
    shape: tuple[int, int],
    most: float,
    seed: int,
) -> float:
    """Finds the largest rate of an untrained network that moves neighbours by less than `most` KL.

    Args:
        cases: edited one at a time.
        shape: blocks and rank.
    """
    sizes = projections[0].width, projections[0].master().shape[0]
    traces = [read_traces(access, projections, [case.edit]) for case in cases]
    network = make_network(*sizes, len(projections), *shape, 1.0, seed)
    for own in traces:
        for trace in own:
            network.observe(trace.inputs, trace.gradients)
    unit = [compute_shifts(network, own) for own in traces]
    low, high = 0, len(RATES)
    while low < high:
        middle = (low + high) // 2
        found = [
            measure_loss(
                access, projections, [RATES[middle] * each for each in shifts], [case], 0.0
            ).locality
            for case, shifts in zip(cases, unit, strict=True)
        ]
        mean = sum(found) / len(found)
        low, high = (middle + 1, high) if mean < most else (low, middle)
    return RATES[max(0, low - 1)]


RATES = tuple(10 ** (power / 2) for power in range(-14, 5))
"""Rates that are tried, from 1e-7 to 1e2."""


def _distributions(access: Access, taught: TaughtPrompt) -> torch.Tensor:
    """Computes the log-probabilities at the tokens of an answer, (tokens, vocabulary)."""
    batch, places = target_batch(access, [taught.prompt], taught.target)
    return access.logits(batch)[0, places[0]].float().log_softmax(dim=-1)
