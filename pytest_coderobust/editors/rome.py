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

from collections.abc import Sequence

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.goals import explain_met
from pytest_coderobust.editors.lookup import Lookup, lookup
from pytest_coderobust.editors.options import RomeOptions
from pytest_coderobust.editors.prefixes import make_prefixes, put_behind
from pytest_coderobust.editors.projection import Projection
from pytest_coderobust.editors.protocol import EditRequest
from pytest_coderobust.editors.value_search import ShiftSite, search_shifts
from pytest_coderobust.editors.weights import WeightChange, WeightEditor, weight_change
from pytest_coderobust.errors import EditRefused


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
        if not bool(shift.any()):
            raise EditRefused(explain_met(request.label, losses[0]))
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
    site = ShiftSite(projection.module, value)
    (shift,), losses = search_shifts(access, [site], prompts, target, options)
    return shift, losses
