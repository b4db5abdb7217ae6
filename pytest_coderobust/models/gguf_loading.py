"""GGUF files in transformers: its arguments for them, and the plain model that they become."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, nullcontext, redirect_stderr
from io import StringIO
from typing import Any

import transformers

from pytest_coderobust.models.checkpoint import Checkpoint


def gguf_tokenizer_arguments(checkpoint: Checkpoint) -> dict[str, Any]:
    """Makes the arguments with which transformers reads a GGUF file; none for a folder."""
    return {} if checkpoint.header is None else {"gguf_file": checkpoint.weights[0].name}


def gguf_model_arguments(checkpoint: Checkpoint) -> dict[str, Any]:
    """Makes the arguments with which transformers reads a GGUF file and unpacks every block of it.

    Newer versions would leave the blocks packed where they have kernels for them: an editor could
    not change such weights, and the numbers would hang on what else is installed.
    """
    if checkpoint.header is None:
        return {}
    packed = getattr(transformers, "GgufConfig", None)
    whole = {} if packed is None else {"quantization_config": packed(dequantize=True)}
    return {**gguf_tokenizer_arguments(checkpoint), **whole}


@contextmanager
def quiet_unpacking(checkpoint: Checkpoint) -> Generator[None]:
    """Context in which a GGUF file is read without the bar that transformers cannot switch off."""
    with nullcontext() if checkpoint.header is None else redirect_stderr(StringIO()):
        yield


def forget_packing(model: Any) -> Any:
    """Takes the marks of quantisation off an unpacked model, which then saves like any other.

    transformers leaves them on, and refuses to save or to train what it takes for packed weights.
    The title in the file goes, too: libraries would look for a model of that name on the hub.
    """
    model.name_or_path = model.config.name_or_path = ""
    for holder, mark in (
        (model.config, "quantization_config"),
        (model, "hf_quantizer"),
        (model, "quantization_method"),
        (model, "is_quantized"),
    ):
        if hasattr(holder, mark):
            delattr(holder, mark)
    return model
