"""Changes of weights: a delta for each tensor, which a snapshot takes out bit-exactly."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.projection import Projection
from pytest_coderobust.editors.protocol import EditRequest, Facts, ModelChange
from pytest_coderobust.errors import EditRefused, ModelError
from pytest_coderobust.records import Variant


@dataclass(frozen=True, slots=True, eq=False)
class WeightChange:
    """Change that adds a delta to some weights.

    Attributes:
        deltas: parameter name -> delta in float32, always out x in.
        facts: the editor's facts; "transposed" names the parameters stored in x out.
    """

    deltas: Mapping[str, torch.Tensor]
    facts: Facts = field(default_factory=dict[str, object])
    kind: Literal["weights"] = "weights"

    @contextmanager
    def installed(self, access: Access) -> Generator[Facts]:
        """Context with the deltas added in float32 and rounded once; ends with the snapshots.

        Raises:
            ModelError: a tensor is missing or has another shape.
            EditRefused: a delta is not finite, or no weight changes in the model's dtype.
        """
        parameters = self._parameters(access)
        before = {name: each.detach().clone() for name, each in parameters.items()}
        with torch.no_grad():
            for name, parameter in parameters.items():
                # Out x in, whatever is stored: the view shares the parameter's memory.
                view = parameter.T if name in self.transposed else parameter
                view.copy_(view.float() + self.deltas[name].to(view.device))
        try:
            yield {"drift": _drift(access, before, parameters)}
        finally:
            with torch.no_grad():
                for name, parameter in parameters.items():
                    parameter.copy_(before[name])

    def rewrite(self, variants: Sequence[Variant], access: Access) -> list[str]:  # noqa: ARG002
        return [variant.prompt for variant in variants]

    def tensors(self) -> Mapping[str, torch.Tensor]:
        return self.deltas

    @property
    def transposed(self) -> frozenset[str]:
        names = self.facts.get("transposed", ())
        assert isinstance(names, (list, tuple))
        return frozenset(str(name) for name in names)

    def placebo(self, seed: int) -> WeightChange:
        """Makes the control: every delta times a random rotation of its input side.

        Norm, rank, singular values and layer are the same; the inputs that it reacts to are random.
        """
        turned = {
            name: rotate(delta, seed + place)
            for place, (name, delta) in enumerate(sorted(self.deltas.items()))
        }
        return WeightChange(turned, {**self.facts, "placebo": seed})

    def without(self, so_far: WeightChange | None) -> WeightChange:
        """Subtracts an earlier change that the model holds already."""
        held = so_far.deltas if so_far else {}
        deltas = {
            name: delta - held[name] if name in held else delta
            for name, delta in self.deltas.items()
        }
        return WeightChange(deltas, self.facts)

    def _parameters(self, access: Access) -> dict[str, torch.nn.Parameter]:
        present = dict(access.model.named_parameters())
        for name, delta in self.deltas.items():
            shape = tuple(delta.T.shape if name in self.transposed else delta.shape)
            found = tuple(present[name].shape) if name in present else None
            if found != shape:
                has = f"has it with shape {found}" if found else "lacks it"
                raise ModelError(f"the edit changes {name} {shape}; model {access.name!r} {has}")
            if not bool(torch.isfinite(delta).all()):
                raise EditRefused(
                    f"the edit of {name} diverged: it holds numbers that are not finite"
                )
        return {name: present[name] for name in self.deltas}


def weight_change(
    projection: Projection,
    delta: torch.Tensor,
    so_far: WeightChange | None,
    facts: Facts,
) -> WeightChange:
    """Adds a delta (out x in) of one projection to what earlier requests changed."""
    deltas = dict(so_far.deltas) if so_far else {}
    transposed = set(so_far.transposed if so_far else ())
    before = deltas.get(projection.name)
    delta = delta.detach().float().cpu()
    deltas[projection.name] = delta if before is None else before + delta
    if projection.transposed:
        transposed.add(projection.name)
    names: Facts = {"transposed": sorted(transposed)} if transposed else {}
    return WeightChange(deltas, {**facts, **names})


OptionsT = TypeVar("OptionsT")


class WeightEditor(ABC, Generic[OptionsT]):
    """Editor that changes weights for one request after the other."""

    def __init__(self, options: OptionsT) -> None:
        self.options = options

    @abstractmethod
    def edit(
        self, access: Access, request: EditRequest, so_far: WeightChange | None
    ) -> WeightChange:
        """Computes the change for a request, on top of `so_far`, which the model holds."""

    def compute(
        self, access: Access, requests: Sequence[EditRequest], so_far: ModelChange | None = None
    ) -> WeightChange:
        """Edits for each request on the model that holds the edits before it.

        Raises:
            EditRefused: it edits for none of them; one that an edit before fulfils already is
                passed over.
        """
        assert so_far is None or isinstance(so_far, WeightChange)
        change, made, reasons = so_far, False, list[EditRefused]()
        for request in requests:
            before = change.without(so_far) if change is not None and made else None
            with before.installed(access) if before is not None else nullcontext():
                try:
                    change, made = self.edit(access, request, change), True
                except EditRefused as refusal:
                    reasons.append(refusal)
        if change is None or not made:
            raise reasons[0]
        return change


def _drift(
    access: Access, before: Mapping[str, torch.Tensor], now: Mapping[str, torch.Tensor]
) -> float:
    """Computes the norm of the change over the norm of the weights before.

    Raises:
        EditRefused: nothing changed.
    """
    pairs = [(now[name].detach().float(), old.float()) for name, old in before.items()]
    moved = sum(float((new - old).square().sum()) for new, old in pairs)
    if not moved:
        dtype = next(iter(before.values())).dtype if before else "no dtype"
        raise EditRefused(
            f"the edit changed no weight of model {access.name!r} in {dtype}: either the model "
            "does already what is asked, or it takes a larger rate or bound, more steps, another "
            "layer"
        )
    norm = sum(float(old.square().sum()) for _, old in pairs)
    return float((moved / norm) ** 0.5) if norm else float("inf")


def rotate(delta: torch.Tensor, seed: int) -> torch.Tensor:
    """Multiplies delta by a Haar-random rotation: the frame of its rows' span becomes random."""
    exact = delta.double()
    random = torch.Generator().manual_seed(seed)
    # delta = (frame of its rows)(coefficients): a random frame in its place is the rotated delta.
    _, upper = torch.linalg.qr(exact.T)  # (in, k), (k, out) with k = min(in, out)
    noise = torch.randn(delta.shape[1], upper.shape[0], generator=random, dtype=torch.float64)
    frame, signs = torch.linalg.qr(noise)
    frame = frame * torch.sign(torch.diagonal(signs))
    turned: torch.Tensor = (frame @ upper).T.float()
    return turned
