"""MALMEN: a trained hyper-network turns gradients into shifts of several down-projections. Slow.

Tan et al. 2024 (arXiv 2311.04661). All requests of a batch are written in one solve. The network is
trained once for a model, on cases that are not those of the edit, and kept.

Departures: the dual solution, float64; traces are taken where the target is predicted; rank and
rate follow from the model; the model's weights are never written during the training.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.edit_traces import TaughtPrompt, read_traces
from pytest_coderobust.editors.multilayer_options import parse_layers
from pytest_coderobust.editors.network_files import (
    TEXTS,
    NetworkFile,
    describe_owner,
    find_network,
    open_network,
    read_network,
    refuse_other_training,
    write_network,
)
from pytest_coderobust.editors.options import changed_options
from pytest_coderobust.editors.ordinary_cases import read_training_cases
from pytest_coderobust.editors.projection import Projection
from pytest_coderobust.editors.protocol import EditRequest, Facts, ModelChange
from pytest_coderobust.editors.shift_cases import make_cases
from pytest_coderobust.editors.shift_network import ShiftNetwork, make_network, read_shift_network
from pytest_coderobust.editors.shift_training import (
    ShiftRecipe,
    compute_shifts,
    search_eta,
    train_network,
)
from pytest_coderobust.editors.targets import target_loss
from pytest_coderobust.editors.trained_options import MalmenOptions
from pytest_coderobust.editors.weights import WeightChange, weight_change
from pytest_coderobust.errors import ModelError
from pytest_coderobust.knowledge.case_set import CaseSet
from pytest_coderobust.knowledge.choosing import digest_texts

KIND = "hyper-networks"
_VERSION = 2  # 2: targets are the ids that edits are made with
_LAST = 5
_TRIED = 16
"""Layers, and edits of the line search."""

_SIZES = ("rank", "blocks", "eta")
"""Options that a trained network has, beside its layers."""


class Malmen:
    """Editor by MALMEN; a succession adds each batch's shift to the model edited so far."""

    def __init__(self, options: MalmenOptions) -> None:
        self.options = options
        self._cases: CaseSet | None = None
        self._kept: tuple[ShiftNetwork, dict[str, object]] | None = None

    def train_on(self, cases: CaseSet) -> None:
        """Takes the cases to learn from, in the place of those that the option `train` names."""
        self._cases = cases

    def prepare(self, access: Access) -> Facts:
        """Trains the hyper-network, or reads it.

        Raises:
            UsageError: there are too few cases, no such layer, or the named network was trained
                with other layers or sizes than are given.
            DataError: the named network cannot be read.
            ModelError: it is another model's, or the training diverged.
        """
        with access.frozen_weights():
            return self._prepare(access)[1]

    def compute(
        self, access: Access, requests: Sequence[EditRequest], so_far: ModelChange | None = None
    ) -> WeightChange:
        assert so_far is None or isinstance(so_far, WeightChange)
        network, training = self._prepare(access)
        layers = cast("list[int]", training["layers"])
        projections = [access.projection(layer) for layer in layers]
        taught = [
            TaughtPrompt(access.encode(each, each.perturbed), access.target(each))
            for each in requests
        ]
        before = _mean_loss(access, taught)
        shifts = compute_shifts(network, read_traces(access, projections, taught))
        made: WeightChange | None = None
        for projection, shift in zip(projections, shifts, strict=True):
            made = weight_change(projection, shift.T, made, {})
        assert made is not None
        with made.installed(access):
            after = _mean_loss(access, taught)
        facts: dict[str, object] = {
            "layers": layers,
            "losses": [before, after],
            "training": training,
            "notes": _write_notes(training, before, after),
        }
        change: WeightChange | None = so_far
        for projection, shift in zip(projections, shifts, strict=True):
            change = weight_change(projection, shift.T, change, facts)
        assert change is not None
        return change

    def _prepare(self, access: Access) -> tuple[ShiftNetwork, dict[str, object]]:
        if self._kept is None:
            options = self.options
            if options.network:
                where = f"network={options.network}"
                path = Path(options.network).expanduser()
                kept = _unpack(open_network(path, KIND, access, where))
                _check_options(access, where, options, *kept)
                self._kept = kept
            else:
                cases = self._cases or read_training_cases(
                    options.train, options.cases, options.seed
                )
                self._kept = stock_network(access, cases, options)
        return self._kept


def _check_options(
    access: Access, where: str, options: MalmenOptions, network: ShiftNetwork, facts: Facts
) -> None:
    """Refuses layers, sizes or a rate beside a named network that was trained with others."""
    blocks, _, rank = network.first.shape
    layers = "+".join(map(str, cast("list[int]", facts["layers"])))
    changed = changed_options(options)
    given: dict[str, object] = {}
    if options.layers:
        given["layers"] = "+".join(map(str, find_layers(access, options.layers)))
    given.update((name, each) for name, each in changed.items() if name in _SIZES)
    trained = {"layers": layers, "rank": rank, "blocks": blocks, "eta": facts["eta"]}
    refuse_other_training(where, trained, given)


def stock_network(
    access: Access, cases: CaseSet, options: MalmenOptions
) -> tuple[ShiftNetwork, dict[str, object]]:
    """Reads the hyper-network of a model from the cache, or trains it and keeps it there.

    Raises:
        UsageError: there are too few cases, or no such layer.
        ModelError: the training diverged, or the layers' matrices differ in shape.
    """
    layers = find_layers(access, options.layers)
    parts = (_VERSION, layers, cases.digest, *map(str, options.decisive))
    path = find_network(KIND, access, *map(str, parts))
    found = read_network(path)
    if found is not None:
        network, facts = _unpack(found)
        return network, {**facts, "trained": 0.0}
    trained = _train(access, layers, cases, options)
    write_network(path, trained)
    return _unpack(trained)


def find_layers(access: Access, text: str) -> tuple[int, ...]:
    """Finds the layers that an option asks for; "" is the last five."""
    count = len(access.layers)
    if text:
        return parse_layers(text, count, access.name)
    return tuple(range(max(0, count - _LAST), count))


def _train(
    access: Access, layers: Sequence[int], cases: CaseSet, options: MalmenOptions
) -> NetworkFile:
    started = time.perf_counter()
    projections = [access.projection(layer) for layer in layers]
    inputs, outputs = _find_shape(access, projections, layers)
    rank = options.rank or max(1, min(1920, (inputs + outputs) // 16))
    made = make_cases(access, cases, options)
    eta = options.eta
    if eta is None:
        shape = (options.blocks, rank)
        eta = search_eta(access, projections, made[:_TRIED], shape, options.kl, options.seed)
    network = make_network(inputs, outputs, len(layers), options.blocks, rank, eta, options.seed)
    recipe = ShiftRecipe(options.steps, options.edits, options.lr, options.locality)
    try:
        network, losses = train_network(access, projections, network, made, recipe, options.seed)
    except FloatingPointError as error:
        raise ModelError(f"train={cases.name}: {error}; give a smaller eta or lr") from None
    facts = {
        "layers": list(layers),
        "cases": len(made),
        "steps": len(losses),
        "losses": [losses[0], losses[-1]],
        "rank": rank,
        "eta": eta,
        "size": network.size,
        "trained": round(time.perf_counter() - started, 3),
    }
    about = {**describe_owner(KIND, access), TEXTS: digest_texts(cases.cases), "facts": facts}
    return NetworkFile(network.named(), about)


def _find_shape(
    access: Access, projections: Sequence[Projection], layers: Sequence[int]
) -> tuple[int, int]:
    shapes = {(each.width, each.master().shape[0]) for each in projections}
    if len(shapes) > 1:
        raise ModelError(
            f"model {access.name!r}: layers {', '.join(map(str, layers))} have matrices of "
            f"different shapes; a hyper-network takes one shape"
        )
    return shapes.pop()


def _unpack(found: NetworkFile) -> tuple[ShiftNetwork, dict[str, object]]:
    facts = cast("dict[str, object]", found.about["facts"])
    return read_shift_network(found.tensors), dict(facts)


def _mean_loss(access: Access, taught: Sequence[TaughtPrompt]) -> float:
    with torch.no_grad():
        losses = [float(target_loss(access, [each.prompt], each.target)) for each in taught]
    return sum(losses) / len(losses)


def _write_notes(training: Facts, before: float, after: float) -> list[str]:
    said = (
        f"NLL of the target {before:.3g} before and {after:.3g} after; hyper-network of "
        f"{training['size']} entries, {training['steps']} steps on {training['cases']} cases, "
        f"eta={training['eta']:.3g}"
    )
    notes = [said]
    if after >= before:
        notes.append("the target became no likelier")
    return notes
