"""Spreading of wanted values over layers: the least-squares updates of MEMIT and PMET.

    D_l = R K' (lam C + P P' + K K')^-1 = [0 R] (lam I + A' C^-1 A)^-1 (C^-1 A)',  A = [P K]

K holds the keys of the requests, P those of earlier edits, R the share of the residual that a layer
takes. The right side is what is computed, in float64: one solve of the size of the requests, with a
factor of C that is made once (Woodbury). A float32 solve of the left side loses a third at a
condition of 1e8. Meng et al. 2023 (arXiv 2210.07229), equation 14; Li et al. 2024 (2308.08742).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from pytest_coderobust.editors.covariance import Covariance
from pytest_coderobust.editors.projection import Projection
from pytest_coderobust.errors import ModelError

ENOUGH = 0.05
"""Share of the z-error below which no further round is made."""


def solve_update(
    keys: torch.Tensor,
    residual: torch.Tensor,
    covariance: Covariance,
    lam: float,
    past: torch.Tensor | None = None,
) -> torch.Tensor:
    """Computes the update of one matrix, (out, d) in float64.

    Args:
        keys: (d, n), one column a request.
        residual: (out, n), what the update should add to each request's output.
        past: (d, p), the keys of earlier edits, whose outputs should stay.

    Raises:
        ModelError: the keys depend on one another, and `lam` is too small to tell them apart.
    """
    wanted = residual.double()
    every = keys.double()
    if past is not None:
        every = torch.cat([past.double(), every], dim=1)
        wanted = torch.cat([wanted.new_zeros(len(wanted), past.shape[1]), wanted], dim=1)
    every = every * covariance.alive[:, None]
    solved = covariance.solve(every)
    system = every.T @ solved
    system = (system + system.T) / 2 + lam * torch.eye(len(system), dtype=system.dtype)
    factor, failed = torch.linalg.cholesky_ex(system)
    if int(failed):
        raise ModelError(
            f"the keys of {len(system)} requests depend on one another, so lam={lam:g} has no "
            "update; give a larger lam"
        )
    update: torch.Tensor = torch.cholesky_solve(wanted.T, factor).T @ solved.T
    return update


@dataclass(frozen=True, slots=True, eq=False)
class SpreadPlan:
    """Problem that updates of several layers solve together.

    Attributes:
        layers: those that are written, ascending, with their projections.
        read_keys: reads the keys of all requests at a layer of the present model, (d, n).
        read_values: reads the present values of all requests at the top, (out, n).
        values: the values that are wanted there, (out, n).
        covariance: returns the covariance of a layer.
        lam: computes the weight of a covariance.
        share: the part of the residual that a layer takes, by the layers left with it.
        past: keys of earlier edits, by layer; empty without history.
    """

    layers: Mapping[int, Projection]
    read_keys: Callable[[int], torch.Tensor]
    read_values: Callable[[], torch.Tensor]
    values: torch.Tensor
    covariance: Callable[[int], Covariance]
    lam: Callable[[Covariance], float]
    share: Callable[[int], float]
    past: Mapping[int, torch.Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class LayerUpdates:
    """Updates of several layers.

    Attributes:
        updates: layer -> update in float64, (out, d).
        keys: layer -> the keys that it was computed with last, (d, n).
        lam: layer -> weight of its covariance.
        tokens: layer -> the tokens of its covariance.
        silent: layer -> its units that no token of the corpus woke, which are not written.
        kept: the z-error that is left, as a share of that before, after each round.
    """

    updates: dict[int, torch.Tensor]
    keys: dict[int, torch.Tensor]
    lam: dict[int, float]
    tokens: dict[int, int]
    silent: dict[int, int]
    kept: list[float]


def spread_values(plan: SpreadPlan, rounds: int) -> LayerUpdates:
    """Writes each layer in turn, on the model with those below it; leaves the model as it was.

    Raises:
        ModelError: as `solve_update`.
    """
    found = LayerUpdates({}, {}, {}, {}, {}, [])
    first = float((plan.values - plan.read_values()).norm())
    with _writable_weights(plan.layers) as write:
        while len(found.kept) < rounds:
            for place, layer in enumerate(plan.layers):
                _update_layer(plan, layer, len(plan.layers) - place, found)
                write(layer, found.updates[layer])
            left = float((plan.values - plan.read_values()).norm())
            found.kept.append(left / first if first else 0.0)
            if found.kept[-1] < ENOUGH:
                break
    return found


def _update_layer(plan: SpreadPlan, layer: int, left: int, found: LayerUpdates) -> None:
    """Adds the next update of a layer to what is found, when `left` layers are to be written."""
    covariance, keys = plan.covariance(layer), plan.read_keys(layer)
    lam = plan.lam(covariance)
    residual = (plan.values - plan.read_values()) * plan.share(left)
    update = solve_update(keys, residual, covariance, lam, plan.past.get(layer))
    before = found.updates.get(layer)
    found.updates[layer] = update if before is None else before + update
    found.keys[layer], found.lam[layer] = keys, lam
    found.tokens[layer] = covariance.tokens
    found.silent[layer] = int((~covariance.alive).sum())


@contextmanager
def _writable_weights(
    layers: Mapping[int, Projection],
) -> Generator[Callable[[int, torch.Tensor], None]]:
    """Context that writes a layer as it was plus an update, rounded once; ends with the old one."""
    before = {layer: each.parameter.detach().clone() for layer, each in layers.items()}
    masters = {layer: each.master() for layer, each in layers.items()}

    def write(layer: int, update: torch.Tensor) -> None:
        projection, master = layers[layer], masters[layer]
        with torch.no_grad():
            changed = master + update.to(master.device, torch.float32)
            projection.parameter.copy_(projection.stored(changed))

    try:
        yield write
    finally:
        with torch.no_grad():
            for layer, projection in layers.items():
                projection.parameter.copy_(before[layer])
