"""CREME: moves the perturbed prompt's states onto the clean prompt's at one layer.

arXiv 2507.16407; the objective is that of the released code:

    L(W) = MSE(h_W(perturbed + c), h(clean + c)) + lam * MSE(h_W(clean + c), h(clean + c))

over the positions of c, the greedy continuation of the clean prompt, at the output h of the key
layer; W is that layer's down-projection and Adam stops early. W changes nothing but W a in
h = r + W a (+ b), for serial and parallel attention, with and without biases. So with D = h - W's
change, L is a quadratic in dW = W - W0 over states that are captured once:

    L(dW) = MSE(dW a_p, h_o - h_p) + lam * MSE(dW a_o, 0)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import torch
from torch.nn.functional import mse_loss

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.hooks import captured_states
from pytest_coderobust.editors.localisation import trace
from pytest_coderobust.editors.options import CremeOptions
from pytest_coderobust.editors.pass_tests import judge_of
from pytest_coderobust.editors.projection import Projection, trainable_weight
from pytest_coderobust.editors.protocol import EditRequest
from pytest_coderobust.editors.weights import WeightChange, WeightEditor, weight_change
from pytest_coderobust.errors import EditRefused


class Creme(WeightEditor[CremeOptions]):
    """Editor that finds the key layer and aligns its states."""

    def edit(
        self, access: Access, request: EditRequest, so_far: WeightChange | None
    ) -> WeightChange:
        facts: dict[str, object] = {}
        if self.options.layer is None:
            with judge_of(access) as judge:
                found = trace(access, request, self.options, judge)
            if found.key is None:
                raise EditRefused(
                    f"{request.label}: no layer restores anything, so it has no key layer "
                    f"(pass rate {found.clean:.2f} clean, {found.perturbed:.2f} perturbed); name "
                    "one (layer=N) to edit it all the same",
                    found.profile,
                )
            layer = found.key
            facts["trace"] = asdict(found)
        else:
            layer = access.layer_index(self.options.layer, 0)
        projection = access.projection(layer)
        pair = make_pair(access, request, self.options.tokens)
        if self.options.solver == "full":
            delta, losses = minimise_full(access, projection, layer, pair, self.options)
        else:
            states = cache_states(access, projection, layer, pair)
            solve = solve_ridge if self.options.solver == "ridge" else minimise_cached
            delta, losses = solve(states, self.options)
        return weight_change(projection, delta, so_far, {"layer": layer, "losses": losses, **facts})


@dataclass(frozen=True, slots=True)
class Pair:
    """Both prompts, each with the same continuation behind it.

    Attributes:
        count: tokens of the continuation; they are the last ones of both.
    """

    clean: tuple[int, ...]
    perturbed: tuple[int, ...]
    count: int


@dataclass(frozen=True, slots=True)
class States:
    """States of the two forward passes at the continuation, in float32: all the objective needs.

    Attributes:
        perturbed, clean: the down-projection's inputs, (count, inputs).
        gap: the clean states minus the perturbed ones at the layer's output, (count, hidden).
    """

    perturbed: torch.Tensor
    clean: torch.Tensor
    gap: torch.Tensor


def make_pair(access: Access, request: EditRequest, tokens: int) -> Pair:
    """Puts the clean prompt's continuation behind both; the model is not edited yet."""
    clean = tuple(access.encode(request, request.clean))
    perturbed = tuple(access.encode(request, request.perturbed))
    more = access.continuation(clean, tokens)
    return Pair((*clean, *more), (*perturbed, *more), len(more))


def cache_states(access: Access, projection: Projection, layer: int, pair: Pair) -> States:
    """Captures the states in two forward passes that stop at the layer."""
    with torch.no_grad(), captured_states(projection.module, "input") as inputs:
        outputs = [_behind(access, layer, ids, pair.count) for ids in (pair.perturbed, pair.clean)]
    perturbed, clean = (each[0, -pair.count :].float() for each in inputs)
    return States(perturbed, clean, outputs[1] - outputs[0])


def minimise_cached(states: States, options: CremeOptions) -> tuple[torch.Tensor, list[float]]:
    """Minimises over cached states by Adam with early stopping; returns (delta, losses)."""
    delta = torch.zeros(
        states.gap.shape[1], states.perturbed.shape[1], device=states.gap.device
    ).requires_grad_()

    def loss() -> torch.Tensor:
        main = mse_loss(states.perturbed @ delta.T, states.gap)
        return main + options.lam * (states.clean @ delta.T).square().mean()

    losses = _descend(delta, loss, options)
    return delta.detach(), losses


def minimise_full(
    access: Access, projection: Projection, layer: int, pair: Pair, options: CremeOptions
) -> tuple[torch.Tensor, list[float]]:
    """Minimises with forward passes in each step, as the released code does: the reference."""
    with torch.no_grad():
        goal = _behind(access, layer, pair.clean, pair.count)
    with trainable_weight(projection) as weight:
        start = weight.detach().clone()

        def loss() -> torch.Tensor:
            perturbed = _behind(access, layer, pair.perturbed, pair.count)
            clean = _behind(access, layer, pair.clean, pair.count)
            return mse_loss(perturbed, goal) + options.lam * mse_loss(clean, goal)

        losses = _descend(weight, loss, options)
    return weight.detach() - start, losses


def solve_ridge(states: States, options: CremeOptions) -> tuple[torch.Tensor, list[float]]:
    """Solves for the minimum-norm delta, of rank <= 2 count; returns it with both losses.

    dW K = Y with K = [a_p, sqrt(lam) a_o] and Y = [gap, 0], by least squares in double precision.
    """
    root = options.lam**0.5
    keys = torch.cat([states.perturbed, root * states.clean]).double()  # (2 count, inputs)
    goal = torch.cat([states.gap, torch.zeros_like(states.gap)]).double()
    solution = torch.linalg.lstsq(keys.cpu(), goal.cpu(), driver="gelsd").solution
    delta = solution.T.float().to(states.gap.device)
    count = states.gap.numel()
    residual = (keys.cpu() @ solution - goal.cpu()).square().sum() / count
    return delta, [states.gap.square().mean().item(), residual.item()]


def _descend(
    weight: torch.Tensor, objective: Callable[[], torch.Tensor], options: CremeOptions
) -> list[float]:
    """Runs Adam until the steps are used up or the loss stops falling; returns every loss."""
    optimizer = torch.optim.Adam([weight], lr=options.lr)
    losses: list[float] = []
    stale = 0
    for _ in range(options.steps):
        loss = objective()
        stale = stale + 1 if losses and loss.item() >= min(losses) else 0
        losses.append(loss.item())
        if stale >= options.patience or losses[-1] == 0:
            break
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    return losses


def _behind(access: Access, layer: int, ids: Sequence[int], count: int) -> torch.Tensor:
    """Computes the layer's output at the last `count` tokens, in float32."""
    return access.run_until(layer, access.batch([ids]))[0, -count:].float()
