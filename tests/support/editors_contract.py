"""Shared by the tests of editors: a model of every architecture, a request, fingerprints."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.protocol import EditRequest
from pytest_coderobust.editors.registry import open_editor, parse_edit
from pytest_coderobust.records import Sampling
from support.models_architectures import save_architecture
from support.models_checkpoints import PROMPT, TASK, backend, row

PERTURBED = 'def twice(x):\n    """Duoble  itt."""\n'
REQUEST = EditRequest(TASK, PROMPT, PERTURBED, "C1")
OTHER = EditRequest(TASK, PROMPT, 'def twice(x):\n    """Dobule it."""\n', "C1", seed=1)
SAMPLING = Sampling(max_new_tokens=8)

QUICK = {
    "creme": "creme:layer=1,steps=5,lr=0.01,tokens=8",
    "rome": "rome:layer=1,steps=3,prefixes=1,prefix_tokens=3",
    "memit": "memit:layers=0-1,steps=4,lr=0.1,prefixes=0,tokens=704,lam=1,rounds=2",
    "pmet": "pmet:layers=0-1,steps=4,lr=0.1,prefixes=1,prefix_tokens=3,tokens=704,lam=1",
    "ft": "ft:layer=1,steps=3,lr=0.01,epsilon=0.02",
    "grace": "grace:layer=0,steps=8,init=warm,replace=all,gain=0.01",
    "malmen": "malmen:layers=0-1,steps=1,edits=1,cases=8,around=1,rank=4,positives=rewrites,eta=0.001",
    "a-grace": "a-grace:layer=0,steps=8,init=warm,replace=all,gain=0.01,cases=24,least=0",
    "dinm": "dinm:steps=3,lr=0.01",
    "lora": "lora:steps=3,rank=2,lr=0.01",
    "denoise": "denoise:tokens=4",
}
"""Each editor as a user writes it, with few steps."""

_folders: dict[tuple[str, str], Path] = {}


def model_of(name: str, root: Path, **options: Any) -> Any:
    """A backend of an architecture; the checkpoint is written once a folder."""
    key = (name, str(root))
    if key not in _folders:
        _folders[key] = save_architecture(root / name, name)
    return backend(_folders[key], **options)


def computed(access: Access, text: str, *requests: EditRequest) -> Any:
    """The change that an editor, as the user writes it, makes of the requests."""
    spec: Any = parse_edit(text)
    with access.frozen_weights():
        return open_editor(spec).compute(access, requests or [REQUEST])


def fingerprint(model: Any) -> dict[str, str]:
    """The SHA-256 of every tensor's bytes."""
    tensors: Mapping[str, torch.Tensor] = model.load().model.state_dict()
    return {
        name: hashlib.sha256(tensor.contiguous().view(torch.uint8).numpy().tobytes()).hexdigest()
        for name, tensor in tensors.items()
    }


def traces(model: Any) -> dict[str, object]:
    """Everything besides tensors that an edit may leave behind."""
    network = model.load().model
    return {
        "flags": {name: each.requires_grad for name, each in network.named_parameters()},
        "grads": [name for name, each in network.named_parameters() if each.grad is not None],
        "modes": {name: each.training for name, each in network.named_modules()},
        "hooks": [name for name, each in network.named_modules() if each._forward_hooks],
        "pre": [name for name, each in network.named_modules() if each._forward_pre_hooks],
        "forwards": [name for name, each in network.named_modules() if "forward" in vars(each)],
        "types": {name: type(each).__name__ for name, each in network.named_modules()},
    }


def answers(model: Any) -> list[str]:
    rows = [row(PROMPT), row(PERTURBED), row("import os\n")]
    return [answer.text for answer in model.generate(rows, SAMPLING)]


def logits(model: Any) -> torch.Tensor:
    """The scores of every token of the perturbed prompt."""
    loaded = model.load()
    ids = torch.tensor([model.encode(PERTURBED, "python")])
    with torch.no_grad():
        scores: torch.Tensor = loaded.model(input_ids=ids, use_cache=False).logits
    return scores
