"""Identity of a checkpoint that vLLM runs: all that decides about its answers."""

from __future__ import annotations

from importlib.metadata import version
from typing import cast

from pytest_coderobust.models.checkpoint import Checkpoint, read_configuration
from pytest_coderobust.models.devices import device_kind
from pytest_coderobust.models.fingerprint import weights_digest
from pytest_coderobust.models.hf import HFBackend
from pytest_coderobust.models.names import describe_origin
from pytest_coderobust.models.prompts import template_of
from pytest_coderobust.models.thought_tags import list_tags
from pytest_coderobust.models.vllm.engine import find_vllm_version
from pytest_coderobust.records import ModelIdentity, digest

ADAPTER = 1
"""Raised when the same row is asked or its answer read in another way."""


def describe_identity(form: HFBackend, device: str, *, exact: bool, eager: bool) -> ModelIdentity:
    """Makes the identity; reads the weights and needs no accelerator to have them in.

    Args:
        form: the checkpoint, and how it is asked.
        exact: an answer is the same whoever shares the batch.
        eager: the network's Python runs uncompiled.
    """
    checkpoint, spec = form.checkpoint, form.spec
    kind, template = device_kind(device), template_of(spec)
    versions = {"vllm": find_vllm_version()}
    versions.update({package: version(package) for package in ("torch", "transformers")})
    packed = find_quantiser(checkpoint)
    parts = [form.checkpoint_digest, *versions.values(), form.dtype, kind, packed]
    how = {"exact": exact, "eager": eager, "tensor parallel": 1, "pipeline parallel": 1}
    asked = [spec.chat, template, list_tags(checkpoint, template, chat=spec.chat)]
    facts = {
        **describe_origin(form.name, spec),
        "weights": weights_digest(checkpoint)[:12],
        "dtype": form.dtype,
        "packed by": packed,
        "device": kind,
        "prompt": "chat" if spec.chat else "continuation",
        **versions,
        "batches": "" if exact else "vLLM's own: greedy text can move with load",
    }
    return ModelIdentity(
        form.name,
        digest("vllm", ADAPTER, parts, how, asked),
        {key: value for key, value in facts.items() if value},
    )


def find_quantiser(checkpoint: Checkpoint) -> str:
    """Finds the method that packed a checkpoint's weights, as its configuration names it, or ""."""
    packed = read_configuration(checkpoint).get("quantization_config")
    if not isinstance(packed, dict):
        return ""
    return str(cast("dict[str, object]", packed).get("quant_method", ""))
