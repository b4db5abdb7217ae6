"""FT-L: constrained fine-tuning of one down-projection (Zhu et al. 2020).

    min CE(target | perturbed prompt)  such that  |W - W0| <= epsilon in every entry

by Adam, clamped after each step. With a rate above epsilon the first step already puts every entry
at its bound: the method is then a signed-gradient step, and later steps only flip signs.
"""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.options import FinetuningOptions
from pytest_coderobust.editors.projection import Projection, trainable_weight
from pytest_coderobust.editors.protocol import EditRequest
from pytest_coderobust.editors.targets import target_loss
from pytest_coderobust.editors.weights import WeightChange, WeightEditor, weight_change


class ConstrainedFineTuning(WeightEditor[FinetuningOptions]):
    """Editor by FT-L; each successive edit is bounded anew, so drift grows by epsilon an edit."""

    def edit(
        self, access: Access, request: EditRequest, so_far: WeightChange | None
    ) -> WeightChange:
        layer = access.layer_index(self.options.layer, 21 / 32)
        projection = access.projection(layer)
        prompt = access.encode(request, request.perturbed)
        delta, losses = self._delta(access, projection, prompt, access.target(request))
        facts = {"layer": layer, "losses": losses}
        return weight_change(projection, delta, so_far, facts)

    def _delta(
        self, access: Access, projection: Projection, prompt: list[int], target: tuple[int, ...]
    ) -> tuple[torch.Tensor, list[float]]:
        options = self.options
        losses: list[float] = []
        with trainable_weight(projection) as weight:
            start = weight.detach().clone()
            optimizer = torch.optim.Adam([weight], lr=options.lr)
            for _ in range(options.steps):
                if options.loss == "target":
                    loss = target_loss(access, [prompt], target)
                else:
                    loss = _prompt_last_loss(access, prompt, target)
                losses.append(loss.item())
                if losses[-1] < options.stop:
                    break
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
                if options.epsilon:
                    bound = options.epsilon
                    with torch.no_grad():
                        weight.copy_(torch.clamp(weight, start - bound, start + bound))
        return weight.detach() - start, losses


def _prompt_last_loss(access: Access, prompt: list[int], target: tuple[int, ...]) -> torch.Tensor:
    """Computes the loss of every target token at the first one's place, as the original does."""
    logits = access.logits(access.batch([prompt]))[0, -1].float()
    wanted = torch.tensor(target, device=logits.device)
    return cross_entropy(logits.expand(len(target), -1), wanted)
