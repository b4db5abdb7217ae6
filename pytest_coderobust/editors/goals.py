"""Goals of MEMIT and PMET: the value that each request wants at the top layer, and readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.hooks import captured_states
from pytest_coderobust.editors.prefixes import put_behind
from pytest_coderobust.editors.protocol import EditRequest
from pytest_coderobust.editors.targets import target_loss
from pytest_coderobust.editors.value_search import SearchOptions, ShiftSite, search_shifts


@dataclass(frozen=True, slots=True, eq=False)
class Goal:
    """One request with the value that fulfils it.

    Attributes:
        prompts: the prompt's ids in each of its contexts, the bare one first.
        target: the ids that should follow.
        value: the value wanted at the top layer for the bare prompt, (out,).
        losses: those of the search.
        met: whether the model gives that value already.
    """

    prompts: Sequence[Sequence[int]]
    target: Sequence[int]
    value: torch.Tensor
    losses: Sequence[float]
    met: bool = False


def find_goal(
    access: Access,
    modules: Sequence[Any],
    top: int,
    request: EditRequest,
    prefixes: Sequence[Sequence[int]],
    options: SearchOptions,
    *,
    relaxed: bool,
) -> Goal:
    """Searches the value of a request at the top layer of the present model.

    Args:
        modules: those whose outputs are shifted together; the first one's value is kept.
        prefixes: the texts that the prompt is put behind, the empty one first.
        relaxed: as in `search_shifts`.
    """
    prompt = access.encode(request, request.perturbed)
    prompts = [put_behind(prefix, prompt, access) for prefix in prefixes]
    sites = [
        ShiftSite(each, read_last(access, top, each, "output", [prompt])[0]) for each in modules
    ]
    target = access.target(request)
    shifts, losses = search_shifts(access, sites, prompts, target, options, relaxed=relaxed)
    met = not bool(shifts[0].any())
    return Goal(prompts, target, sites[0].value + shifts[0], losses, met)


def explain_met(label: str, loss: float) -> str:
    """Explains that nothing is left to be written for a request."""
    return (
        f"{label}: the model answers as told already (its first loss of {loss:.3g} ends the "
        "search), so there is nothing to edit; a smaller stop asks for more"
    )


def read_last(
    access: Access,
    layer: int,
    module: Any,
    what: Literal["input", "output"],
    prompts: Sequence[Sequence[int]],
) -> torch.Tensor:
    """Reads input or output of a module at each prompt's last token, (prompts, width)."""
    batch = access.batch(prompts)
    with torch.no_grad(), captured_states(module, what) as states:
        access.run_until(layer, batch)
    rows = torch.arange(len(prompts), device=states[0].device)
    return states[0][rows, batch.last().to(rows.device)].float()


def mix_keys(keys: torch.Tensor, reading: str) -> torch.Tensor:
    """Mixes the keys of a request's contexts, (contexts, d), the bare prompt's first: (d,)."""
    exact = keys.cpu().double()
    if reading == "reference" and len(exact) > 1:
        return (exact[0] + exact[1:].mean(dim=0)) / 2
    return exact.mean(dim=0)


def mean_loss(access: Access, goals: Sequence[Goal]) -> float:
    """Computes the mean NLL of the targets behind their bare prompts."""
    with torch.no_grad():
        losses = [float(target_loss(access, each.prompts[:1], each.target)) for each in goals]
    return sum(losses) / len(losses)
