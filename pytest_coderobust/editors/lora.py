"""LoRA on the requests alone: low-rank matrices beside the attention projections.

Hu et al. 2021 (arXiv 2106.09685) by peft, with the values of EasyEdit's editing LoRA. All
requests of a call are learnt together; successive calls go on with the same matrices. The adapter
is never merged, because merging is not undone exactly.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.options import LoraOptions
from pytest_coderobust.editors.protocol import EditRequest, Facts, ModelChange
from pytest_coderobust.editors.targets import target_loss
from pytest_coderobust.editors.weights import rotate
from pytest_coderobust.errors import EditRefused, MissingExtra, ModelError
from pytest_coderobust.models.quiet import quiet
from pytest_coderobust.records import Variant

_ATTENTION = (("q_proj", "v_proj"), ("qkv_proj",), ("c_attn",), ("query_key_value",))
"""Names of the attention projections, by architecture; the first group that is there counts."""


def require_peft() -> Any:
    """Imports the package peft.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        with quiet():
            import peft
    except ImportError:
        raise MissingExtra("--edit lora", "lora") from None
    return peft


@dataclass(frozen=True, slots=True, eq=False)
class AdapterChange:
    """Change that puts a trained adapter beside the layers.

    Attributes:
        weights: by the names that peft saves them under.
        facts: "peft" holds rank, alpha, dropout, modules.
    """

    weights: Mapping[str, torch.Tensor]
    facts: Facts = field(default_factory=dict[str, object])
    kind: Literal["adapter"] = "adapter"

    @contextmanager
    def installed(self, access: Access) -> Generator[Facts]:
        """Puts the matrices beside the layers.

        Raises:
            ModelError: the adapter does not fit the model.
            EditRefused: it adds nothing to any output.
        """
        if not any(bool(each.any()) for name, each in self.weights.items() if "lora_B" in name):
            raise EditRefused(
                f"the edit changed no weight of model {access.name!r}: either the model does "
                "already what is asked, or it takes a larger rate or more steps"
            )
        with adapted_network(access, self.facts) as network:
            _load_matrices(network, self.weights, access.name)
            yield {}

    def rewrite(self, variants: Sequence[Variant], access: Access) -> list[str]:  # noqa: ARG002
        return [variant.prompt for variant in variants]

    def tensors(self) -> Mapping[str, torch.Tensor]:
        return self.weights

    def placebo(self, seed: int) -> AdapterChange:
        """Makes the control: each product B A times a random rotation of its input side.

        Norm, rank and singular values of the product are the same; the inputs are random.
        """
        names = sorted(self.weights)
        turned = {
            name: rotate(self.weights[name], seed + place)
            if "lora_A" in name
            else self.weights[name]
            for place, name in enumerate(names)
        }
        return AdapterChange(turned, {**self.facts, "placebo": seed})


class Lora:
    """Editor that trains low-rank matrices on all requests together."""

    def __init__(self, options: LoraOptions) -> None:
        require_peft()
        self.options = options

    def compute(
        self, access: Access, requests: Sequence[EditRequest], so_far: ModelChange | None = None
    ) -> AdapterChange:
        assert so_far is None or isinstance(so_far, AdapterChange)
        # Prompts and targets are those of the model without this adapter.
        pairs = [
            (access.encode(request, request.perturbed), access.target(request))
            for request in requests
        ]
        facts: dict[str, object] = {"peft": self._config(access)}
        if so_far is not None:
            # The matrices so far are in the model; they are put back when the new ones are known.
            matrices = _matrices(access.model)
            before = [each.detach().clone() for each in matrices]
            try:
                losses = self._train(access, pairs)
                weights = {
                    name: matrix.detach().clone()
                    for name, matrix in zip(
                        so_far.weights, _order_matrices(access, so_far), strict=True
                    )
                }
            finally:
                with torch.no_grad():
                    for matrix, old in zip(matrices, before, strict=True):
                        matrix.copy_(old)
            return AdapterChange(weights, {**facts, "losses": losses})
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.options.seed)
            with adapted_network(access, facts) as network:
                losses = self._train(access, pairs)
                weights = _read_matrices(network)
        return AdapterChange(weights, {**facts, "losses": losses})

    def _train(
        self, access: Access, pairs: Sequence[tuple[list[int], tuple[int, ...]]]
    ) -> list[float]:
        """Trains the matrices alone by AdamW; returns the mean loss over the requests by step."""
        matrices = _matrices(access.model)
        for matrix in matrices:
            matrix.requires_grad_()
        _set_dropout(access.model, training=self.options.dropout > 0)
        optimizer = torch.optim.AdamW(matrices, lr=self.options.lr, weight_decay=0.0)
        losses: list[float] = []
        for _ in range(self.options.steps):
            each = [target_loss(access, [prompt], target) for prompt, target in pairs]
            loss = torch.stack(each).mean()
            losses.append(loss.item())
            if losses[-1] < self.options.stop:
                break
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        optimizer.zero_grad()
        for matrix in matrices:
            matrix.requires_grad = False
        _set_dropout(access.model, training=False)
        return losses

    def _config(self, access: Access) -> dict[str, object]:
        return {
            "r": self.options.rank,
            "lora_alpha": self.options.alpha,
            "lora_dropout": self.options.dropout,
            "target_modules": self._modules(access),
            "fan_in_fan_out": any(
                type(module).__name__ == "Conv1D" for module in access.layers[0].modules()
            ),
        }

    def _modules(self, access: Access) -> list[str] | str:
        """Finds the names of the layers that peft adapts.

        Raises:
            ModelError: the attention has none of the known names.
        """
        if self.options.modules == "all":
            return "all-linear"
        present = {name.rpartition(".")[2] for name, _ in access.layers[0].named_modules()}
        for group in _ATTENTION:
            if set(group) <= present:
                return list(group)
        raise ModelError(
            f"model {access.name!r}: its attention has projections of unknown names; "
            "lora:modules=all takes every linear layer"
        )


@contextmanager
def adapted_network(access: Access, facts: Facts) -> Generator[Any]:
    """Context of the model with fresh matrices beside its layers, without effect until trained."""
    peft = require_peft()
    flags = [(each, each.requires_grad) for each in access.model.parameters()]
    with quiet():
        network = peft.get_peft_model(access.model, adapter_config(facts))
    try:
        network.eval()
        yield network
    finally:
        with quiet():
            network.unload()
        for parameter, flag in flags:
            parameter.requires_grad_(requires_grad=flag)


def adapter_config(facts: Facts, model: str | None = None) -> Any:
    """Makes the configuration that peft reads."""
    peft = require_peft()
    table = facts["peft"]
    assert isinstance(table, dict)
    return peft.LoraConfig(
        task_type="CAUSAL_LM", bias="none", base_model_name_or_path=model, **table
    )


def adapter_change(tensors: Mapping[str, torch.Tensor], facts: Facts) -> AdapterChange:
    """Makes the change of a saved adapter."""
    require_peft()
    return AdapterChange(dict(tensors), facts)


def _read_matrices(network: Any) -> dict[str, torch.Tensor]:
    """Reads the matrices, by the names that peft saves them under."""
    peft = require_peft()
    found: dict[str, torch.Tensor] = peft.get_peft_model_state_dict(network)
    return {name: each.detach().cpu().clone() for name, each in sorted(found.items())}


def _load_matrices(network: Any, weights: Mapping[str, torch.Tensor], name: str) -> None:
    """Loads matrices into an adapted model.

    Raises:
        ModelError: names or shapes differ.
    """
    peft = require_peft()
    wanted = {key: tuple(each.shape) for key, each in _read_matrices(network).items()}
    given = {key: tuple(each.shape) for key, each in weights.items()}
    if wanted != given:
        raise ModelError(f"the adapter was made for another model than {name!r}")
    with quiet():
        peft.set_peft_model_state_dict(network, dict(weights))


def _matrices(model: Any) -> list[torch.nn.Parameter]:
    return [each for name, each in model.named_parameters() if "lora_" in name]


def _order_matrices(access: Access, change: AdapterChange) -> list[torch.Tensor]:
    """Lists the model's matrices in the order of a change's names."""
    present = {
        name.replace(".default.", "."): each
        for name, each in access.model.named_parameters()
        if "lora_" in name
    }
    return [present[name.removeprefix("base_model.model.")].cpu() for name in change.weights]


def _set_dropout(model: Any, *, training: bool) -> None:
    for name, module in model.named_modules():
        if "lora_dropout" in name:
            module.train(training)
