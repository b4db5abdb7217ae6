"""Sweep over layers of many requests: where their key layers are, and how much each layer restores.

A request's restoration at a layer is CREME's RI (arXiv 2507.16407, Eq. 4): the share of the lost
pass rate that comes back when the clean prompt's states are put in there. The mean over requests
has an interval from drawing the requests' tasks again (95 %).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pytest_coderobust.metrics.resampling import Spread, measure_spread
from pytest_coderobust.records.editing import TracedRequest


@dataclass(frozen=True, slots=True)
class LayerSweep:
    """Layers of one perturbation's requests.

    Attributes:
        requests: how many were traced.
        keys: how many have their key layer there, by layer.
        none: how many have no key layer, because no layer restores anything.
        restored: mean restoration at each layer, with its interval.
    """

    perturbation: str
    requests: int
    keys: Mapping[int, int]
    none: int
    restored: tuple[Spread, ...]


def sweep_layers(traced: Iterable[TracedRequest]) -> tuple[LayerSweep, ...]:
    """Summarises the requests of each perturbation, in the order they come."""
    grouped: dict[str, list[TracedRequest]] = {}
    for each in traced:
        grouped.setdefault(each.perturbation, []).append(each)
    return tuple(_summarise(name, own) for name, own in grouped.items())


def _summarise(name: str, own: list[TracedRequest]) -> LayerSweep:
    depth = min(len(each.restored) for each in own)
    spreads = (
        measure_spread([[[(each.task, each.restored[layer]) for each in own]]])
        for layer in range(depth)
    )
    keys = Counter(each.key for each in own if each.key is not None)
    return LayerSweep(
        perturbation=name,
        requests=len(own),
        keys=dict(sorted(keys.items())),
        none=sum(each.key is None for each in own),
        restored=tuple(spread for spread in spreads if spread is not None),
    )
