"""ROME: writes one fact as a rank-one change of a down-projection.

Meng et al. 2022 (arXiv 2202.05262), in the form of r-ROME (Gupta et al., arXiv 2403.07175), which
uses one key everywhere; identity covariance, as CLMEEval and EasyEdit have it.

    k = mean over prefixes of the projection's input at the prompt's last token
    v = v0 + d,  d = argmin NLL(target) + kl KL(P_d || P_0) + decay |d| / |v0|^2
        where |d| <= clamp |v0|
    W' = W + (v - W k) k' / (k' k)

Departures: the KL is taken on a neutral code prompt, not on the prompt that is edited.
Not covered: covariances of a corpus.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.functional import kl_div

from pytest_coderobust.editors.access import Access, TokenBatch
from pytest_coderobust.editors.hooks import forward_hook
from pytest_coderobust.editors.lookup import Lookup, lookup
from pytest_coderobust.editors.options import RomeOptions
from pytest_coderobust.editors.prefixes import NEUTRAL, make_prefixes, put_behind
from pytest_coderobust.editors.projection import Projection
from pytest_coderobust.editors.protocol import EditRequest
from pytest_coderobust.editors.targets import loss_at, target_batch
from pytest_coderobust.editors.weights import WeightChange, WeightEditor, weight_change


class Rome(WeightEditor[RomeOptions]):
    """Editor by ROME; successive edits accumulate, each with keys of the model edited so far."""

    def edit(
        self, access: Access, request: EditRequest, so_far: WeightChange | None
    ) -> WeightChange:
        layer = access.layer_index(self.options.layer, 5 / 32)
        projection = access.projection(layer)
        prompt = access.encode(request, request.perturbed)
        contexts = make_prefixes(access, self.options.prefixes, self.options.prefix_tokens)
        prompts = [put_behind(prefix, prompt, access) for prefix in contexts]
        keys = [lookup(access, projection, each) for each in prompts]
        shift, losses = find_shift(
            access, projection, prompts, access.target(request), keys[0].output, self.options
        )
        mean = torch.stack([key.input for key in keys]).mean(dim=0)
        delta = rank_one_update(
            projection, mean, keys[0], shift, asymmetric=self.options.asymmetric
        )
        facts = {"layer": layer, "losses": losses, "shift": float(shift.norm())}
        return weight_change(projection, delta, so_far, facts)


def rank_one_update(
    projection: Projection,
    mean: torch.Tensor,
    bare: Lookup,
    shift: torch.Tensor,
    *,
    asymmetric: bool,
) -> torch.Tensor:
    """Solves for the rank-one delta, out x in, after which the key yields the wanted value exactly.

    Solved in double precision; a bias adds to value and output alike and cancels out.
    """
    weight, key = projection.master().double(), mean.double()
    bias = projection.module.bias
    wanted = (bare.output + shift).double() - (0.0 if bias is None else bias.detach().double())
    if asymmetric:
        present = bare.input.double()
        return torch.outer(wanted - weight @ present, key / (key @ present)).float()
    return torch.outer(wanted - weight @ key, key / (key @ key)).float()


def find_shift(
    access: Access,
    projection: Projection,
    prompts: Sequence[Sequence[int]],
    target: Sequence[int],
    value: torch.Tensor,
    options: RomeOptions,
) -> tuple[torch.Tensor, list[float]]:
    """Finds the shift d by Adam on the sum of the losses; returns (d, losses)."""
    batch, places = target_batch(access, prompts, target)
    neutral = access.batch([access.backend.encode(NEUTRAL, "python")])
    before = _distribution(access, neutral).detach()
    shift = torch.zeros_like(value).requires_grad_()
    optimizer = torch.optim.Adam([shift], lr=options.lr)
    losses: list[float] = []
    for _ in range(options.steps):
        with _shifted_output(projection, places[:, :1], shift):
            loss = loss_at(access.logits(batch), places, target)
        with _shifted_output(projection, neutral.last()[:, None], shift):
            after = _distribution(access, neutral)
        # kl_div(q, p) is KL(p || q): here KL(edited || unedited), as in paper and code.
        loss = loss + options.kl * kl_div(before, after, log_target=True, reduction="sum")
        loss = loss + options.decay * shift.norm() / value.norm() ** 2
        losses.append(loss.item())
        if losses[-1] < options.stop or len(losses) == options.steps:
            break
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        _clamp_shift(shift, options.clamp * value.norm())
    return shift.detach(), losses


def _clamp_shift(shift: torch.Tensor, most: torch.Tensor) -> None:
    """Scales the shift back to the largest norm, when a step went beyond it."""
    with torch.no_grad():
        norm = shift.norm()
        if norm > most:
            shift.mul_(most / norm)


def _distribution(access: Access, batch: TokenBatch) -> torch.Tensor:
    """Computes the log-probabilities of the next token of a single row."""
    return access.logits(batch)[0, batch.last()[0]].float().log_softmax(dim=-1)


@contextmanager
def _shifted_output(
    projection: Projection, places: torch.Tensor, shift: torch.Tensor
) -> Generator[None]:
    """Context in which `shift` is added to the projection's output at `places`, (rows, 1)."""

    def add(_module: Any, _args: Any, output: torch.Tensor) -> torch.Tensor:
        at = torch.zeros_like(output[..., :1])
        at.scatter_(1, places[..., None], 1.0)
        return output + at * shift.to(output.dtype)

    hook: Callable[..., Any] = add
    with forward_hook(projection.module, hook):
        yield
