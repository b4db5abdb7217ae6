"""Packed weights: the libraries that unpack or multiply them, and so round the answers."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import cast

from pytest_coderobust.models.checkpoint import Checkpoint, read_configuration

_LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "gguf": ("gguf",),
    "bitsandbytes": ("bitsandbytes",),
    "gptq": ("gptqmodel", "auto-gptq", "optimum"),
    "awq": ("gptqmodel", "autoawq"),
    "compressed-tensors": ("compressed-tensors",),
    "torchao": ("torchao",),
    "quanto": ("optimum-quanto",),
    "hqq": ("hqq",),
    "aqlm": ("aqlm",),
    "eetq": ("eetq",),
    "fp8": ("kernels",),
    "mxfp4": ("kernels",),
}
"""Packages by `quant_method` of a checkpoint's configuration."""


def packing_facts(checkpoint: Checkpoint) -> dict[str, str]:
    """Lists what else decides the numbers of packed weights: their form, and what computes them.

    Empty for weights that are not packed. Every fact belongs into a model's digest.
    """
    header = checkpoint.header
    form = {} if header is None else {"quantised": f"GGUF {header.quantisation}, unpacked"}
    return {**form, **kernel_versions(checkpoint)}


def kernel_versions(checkpoint: Checkpoint) -> dict[str, str]:
    """Lists the installed packages that compute a checkpoint's packed weights, with versions."""
    method = "gguf" if checkpoint.header is not None else _method(checkpoint)
    if method.startswith("bitsandbytes"):  # "bitsandbytes_4bit" in some versions
        method = "bitsandbytes"
    found: dict[str, str] = {}
    for package in _LIBRARIES.get(method, ()):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _method(checkpoint: Checkpoint) -> str:
    table = read_configuration(checkpoint).get("quantization_config")
    if not isinstance(table, dict):
        return ""
    settings = cast("dict[str, object]", table)
    # Older bitsandbytes checkpoints name no method, but say in how many bits they load.
    old = any(settings.get(key) is True for key in ("load_in_8bit", "load_in_4bit"))
    return str(settings.get("quant_method") or ("bitsandbytes" if old else ""))
