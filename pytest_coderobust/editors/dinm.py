"""DINM: tunes the layer at which two answers differ most towards the wanted answer.

Wang et al. 2024 (arXiv 2403.14472): at the layer where the states of the safe and the unsafe answer
are farthest apart, weight * CE(target | x) + KL(P0 || PW) on an unrelated prompt and its answer, by
Adam on the down-projection.

For code: x is the perturbed prompt, safe the clean prompt's continuation, unsafe the perturbed
prompt's own; the unrelated prompt is a neutral function. Departures: the KL has a gradient (the
released code computes it under no_grad; `reference_compat` does too), pads are left out of the
distance, and every request has its own layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch.nn.functional import kl_div

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.hooks import forward_hook, tensor_of
from pytest_coderobust.editors.options import DinmOptions
from pytest_coderobust.editors.prefixes import NEUTRAL
from pytest_coderobust.editors.projection import Projection, trainable_weight
from pytest_coderobust.editors.protocol import EditRequest
from pytest_coderobust.editors.targets import target_batch, target_loss
from pytest_coderobust.editors.weights import WeightChange, WeightEditor, weight_change


class Dinm(WeightEditor[DinmOptions]):
    """Editor by DINM; successive edits accumulate on the weights."""

    def edit(
        self, access: Access, request: EditRequest, so_far: WeightChange | None
    ) -> WeightChange:
        prompt = access.encode(request, request.perturbed)
        target = access.target(request)
        if self.options.layer is None:
            gaps = answer_gaps(access, prompt, target, access.continuation(prompt))
            layer = max(range(len(gaps)), key=lambda place: (gaps[place], -place))
        else:
            layer = access.layer_index(self.options.layer, 0)
        projection = access.projection(layer)
        delta, losses, drifts = self._tune(access, projection, prompt, target)
        facts = {"layer": layer, "losses": losses, "kl": drifts}
        return weight_change(projection, delta, so_far, facts)

    def _tune(
        self, access: Access, projection: Projection, prompt: list[int], target: Sequence[int]
    ) -> tuple[torch.Tensor, list[float], list[float]]:
        options = self.options
        neutral = access.backend.encode(NEUTRAL, "python")
        answer = access.continuation(neutral)
        losses: list[float] = []
        drifts: list[float] = []
        with trainable_weight(projection) as weight:
            start = weight.detach().clone()
            optimizer = torch.optim.Adam([weight], lr=options.lr)
            with torch.no_grad():
                before = answer_distribution(access, neutral, answer)
            for _ in range(options.steps):
                wanted = target_loss(access, [prompt], target)
                losses.append(wanted.item())
                if losses[-1] < options.stop:
                    break
                drift = kl_to(before, answer_distribution(access, neutral, answer))
                drifts.append(drift.item())
                loss = options.weight * wanted
                if not options.reference_compat:
                    loss = loss + drift
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
        return weight.detach() - start, losses, drifts


def kl_to(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """Computes the mean KL(before || after) from log-probabilities, (places, tokens)."""
    return kl_div(after, before, log_target=True, reduction="batchmean")


def answer_distribution(
    access: Access, prompt: Sequence[int], answer: Sequence[int]
) -> torch.Tensor:
    """Computes log-probabilities at the places of an answer: (answer, vocabulary)."""
    batch, places = target_batch(access, [prompt], answer)
    return access.logits(batch)[0, places[0]].float().log_softmax(dim=-1)


def answer_gaps(
    access: Access, prompt: Sequence[int], safe: Sequence[int], unsafe: Sequence[int]
) -> list[float]:
    """Computes for every layer the Frobenius norm between the states of two answers to a prompt.

    Only the places that both answers have are compared.
    """
    count = min(len(safe), len(unsafe))
    batch = access.batch([[*prompt, *safe[:count]], [*prompt, *unsafe[:count]]])
    first = batch.starts[0] + len(prompt)
    found: list[float] = []

    def look(_module: Any, _args: Any, output: Any) -> None:
        states = tensor_of(output)[:, first : first + count].float()
        found.append(float((states[0] - states[1]).norm()))

    with ExitStack() as stack, torch.no_grad():
        for layer in access.layers:
            stack.enter_context(forward_hook(layer, look))
        access.logits(batch)
    return found
