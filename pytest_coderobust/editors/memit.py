"""MEMIT and PMET: write many requests at once, spread over several down-projections.

Meng et al. 2023 (arXiv 2210.07229); Li et al. 2024 (arXiv 2308.08742). For each request the value z
that makes the model answer as told is searched at the top layer; then, layer by layer, each takes
its share of what is missing: 1/left for MEMIT, 1/sqrt(left) for PMET.

MEMIT's value is the layer's output. PMET shifts the outputs of MLP and attention together and keeps
the MLP's alone.

Departures: the KL is taken on a neutral code prompt; ids are concatenated, never texts; `lam` is in
its natural unit, E[k' C^-1 k] = d; rounds and history are ours. Not covered: a covariance that an
earlier edit should have changed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.corpus import IDENTITY
from pytest_coderobust.editors.covariance import Covariance
from pytest_coderobust.editors.covariance_cache import CovarianceShelf, stock_shelf
from pytest_coderobust.editors.goals import (
    Goal,
    explain_met,
    find_goal,
    mean_loss,
    mix_keys,
    read_last,
)
from pytest_coderobust.editors.multilayer_options import MemitOptions, parse_layers
from pytest_coderobust.editors.prefixes import make_prefixes
from pytest_coderobust.editors.projection import Projection
from pytest_coderobust.editors.protocol import EditRequest, Facts, ModelChange
from pytest_coderobust.editors.spreading import LayerUpdates, SpreadPlan, spread_values
from pytest_coderobust.editors.weights import WeightChange, weight_change
from pytest_coderobust.errors import EditRefused, UsageError

NATURAL = 1.36
"""Default of `lam` in units of a key's width: 15000 at the 11008 units of a 7B model."""

WORRYING = 0.3
"""Share of the z-error that is worth a warning when it is left."""


@dataclass(frozen=True, slots=True, eq=False)
class SpreadChange(WeightChange):
    """Change of several weights that a later edit of the same kind can go on from.

    Attributes:
        past: layer -> keys of every edit so far, (d, n), for `history`.
        shelf: the covariances of the model without any of these edits.
    """

    past: Mapping[int, torch.Tensor] = field(default_factory=dict[int, torch.Tensor])
    shelf: CovarianceShelf = field(default_factory=lambda: CovarianceShelf({}, {}))


class Memit:
    """Editor by MEMIT: all requests of a batch in one solve."""

    relaxed = False

    def __init__(self, options: MemitOptions) -> None:
        self.options = options
        self._stocked: tuple[tuple[str, str], CovarianceShelf] | None = None

    def prepare(self, access: Access) -> Facts:
        """Measures the covariances, or finds them in the cache.

        Raises:
            UsageError, ModelError: as `compute`.
        """
        started = time.perf_counter()
        layers = self._choose_layers(access)
        self._stock(access, layers)
        if self.options.corpus == IDENTITY:
            return {}
        seconds = round(time.perf_counter() - started, 3)
        return {"covariances": len(layers), "corpus": self.options.corpus, "prepared": seconds}

    def value_modules(self, access: Access, top: int) -> list[Any]:
        """Finds the modules whose outputs are shifted; the first one's is what is written."""
        return [access.layers[top]]

    def share(self, left: int) -> float:
        """Computes the part of the residual that a layer takes when `left` are to be written."""
        return 1 / left

    def compute(
        self, access: Access, requests: Sequence[EditRequest], so_far: ModelChange | None = None
    ) -> SpreadChange:
        """Edits for all requests at once, on the model that holds `so_far`.

        Raises:
            UsageError: a layer is out of range, the corpus cannot be read, or C = I without `lam`.
            ModelError: the corpus is too small, or the model has other modules.
            EditRefused: the model answers every request as told already.
        """
        assert so_far is None or isinstance(so_far, SpreadChange)
        options = self.options
        layers = self._choose_layers(access)
        # Before anything is written: a covariance is one of the model without the edits.
        shelf = so_far.shelf if so_far else self._stock(access, layers)
        projections = {layer: access.projection(layer) for layer in layers}
        goals = self.find_goals(access, layers[-1], requests)
        if all(goal.met for goal in goals):
            raise EditRefused(explain_met(requests[0].label, goals[0].losses[0]))
        past = dict(so_far.past) if so_far and options.history else {}
        plan = self.plan(access, projections, goals, shelf, past)
        before = mean_loss(access, goals)
        found = spread_values(plan, options.rounds)
        return self._change(access, plan, goals, found, shelf, so_far, before)

    def _choose_layers(self, access: Access) -> tuple[int, ...]:
        options = self.options
        if options.corpus == IDENTITY and options.lam is None:
            raise UsageError("corpus=identity has no natural unit of lam; give lam, as in lam=0.01")
        return parse_layers(options.layers, len(access.layers), access.name)

    def _stock(self, access: Access, layers: Sequence[int]) -> CovarianceShelf:
        """Finds the covariances of a model, once for all edits of this editor."""
        options = self.options
        model = (access.backend.checkpoint_digest, str(access.model.dtype))
        if self._stocked is None or self._stocked[0] != model:
            shelf = stock_shelf(access, layers, options.corpus, options.tokens, options.seed)
            self._stocked = (model, shelf)
        return self._stocked[1]

    def find_goals(self, access: Access, top: int, requests: Sequence[EditRequest]) -> list[Goal]:
        """Searches the value of each request at the top layer of the present model."""
        options = self.options
        prefixes = make_prefixes(access, options.prefixes, options.prefix_tokens)
        modules = self.value_modules(access, top)
        return [
            find_goal(access, modules, top, request, prefixes, options, relaxed=self.relaxed)
            for request in requests
        ]

    def plan(
        self,
        access: Access,
        projections: Mapping[int, Projection],
        goals: Sequence[Goal],
        shelf: CovarianceShelf,
        past: Mapping[int, torch.Tensor],
    ) -> SpreadPlan:
        """Makes the problem that the layers solve together."""
        options, top = self.options, max(projections)
        module = self.value_modules(access, top)[0]

        def read_keys(layer: int) -> torch.Tensor:
            keys = (
                read_last(access, layer, projections[layer].module, "input", goal.prompts)
                for goal in goals
            )
            return torch.stack([mix_keys(each, options.reading) for each in keys], dim=1)

        def read_values() -> torch.Tensor:
            rows = [read_last(access, top, module, "output", goal.prompts[:1]) for goal in goals]
            return torch.cat(rows).T.cpu().double()

        return SpreadPlan(
            layers=projections,
            read_keys=read_keys,
            read_values=read_values,
            values=torch.stack([goal.value for goal in goals], dim=1).cpu().double(),
            covariance=shelf.take,
            lam=self._lam,
            share=self.share,
            past=past,
        )

    def _lam(self, covariance: Covariance) -> float:
        if self.options.lam is not None:
            return self.options.lam
        return NATURAL * len(covariance.alive)

    def _change(
        self,
        access: Access,
        plan: SpreadPlan,
        goals: Sequence[Goal],
        found: LayerUpdates,
        shelf: CovarianceShelf,
        so_far: SpreadChange | None,
        before: float,
    ) -> SpreadChange:
        """Makes the change of the updates, with the facts of its making."""
        made: WeightChange | None = None
        for layer, update in found.updates.items():
            made = weight_change(plan.layers[layer], update, made, {})
        assert made is not None
        with made.installed(access):
            after = mean_loss(access, goals)
        change: WeightChange | None = so_far
        facts: dict[str, object] = {
            "layers": list(plan.layers),
            "losses": [loss for goal in goals for loss in goal.losses],
            "lam": list(found.lam.values()),
            "tokens": list(found.tokens.values()),
            "silent": list(found.silent.values()),
            "rounds": len(found.kept),
            "z_error_kept": found.kept[-1],
            "target_nll": [before, after],
            "notes": _write_notes(self.options, found, before, after),
        }
        for layer, update in found.updates.items():
            change = weight_change(plan.layers[layer], update, change, facts)
        assert change is not None
        keys = dict(so_far.past) if so_far else {}
        for layer, new in found.keys.items():
            keys[layer] = torch.cat([keys[layer], new], dim=1) if layer in keys else new
        return SpreadChange(change.deltas, change.facts, past=keys, shelf=shelf)


class Pmet(Memit):
    """Editor by PMET: the value of the MLP alone, found together with a shift of the attention."""

    relaxed = True

    def value_modules(self, access: Access, top: int) -> list[Any]:
        return [access.projection(top).module, access.attention_output(top)]

    def share(self, left: int) -> float:
        return 1 / sqrt(left)


def _write_notes(
    options: MemitOptions, found: LayerUpdates, before: float, after: float
) -> list[str]:
    """Writes what became of the edit, with warnings where it fell short."""
    lam, kept = next(iter(found.lam.values())), found.kept[-1]
    corpus = f", {max(found.tokens.values())} tokens of {options.corpus}"
    rounds = f"{len(found.kept)} round{'s' * (len(found.kept) > 1)}"
    nll = f"NLL of the target {before:.3g} before and {after:.3g} after"
    notes = [f"z-error kept {kept:.0%} after {rounds}, {nll} (lam={lam:g}{corpus})"]
    if kept > WORRYING:
        notes.append(
            f"under-written: {kept:.0%} of the z-error is more than {WORRYING:.0%}; give more "
            "rounds or a smaller lam"
        )
    if after >= before:
        notes.append("the target became no likelier")
    return notes
