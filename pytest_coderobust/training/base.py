"""The model that a training starts from: checked before it is loaded, and loaded to be trained."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pytest_coderobust.errors import MissingExtra, UsageError
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.models.checkpoint import (
    Checkpoint,
    count_parameters,
    read_configuration,
    stored_dtype,
)
from pytest_coderobust.models.hf import HFBackend
from pytest_coderobust.training.settings import BIG, CAREFUL_RATE, LoraSettings, TrainingSettings

MASTER = "float32"
"""The dtype of every weight that is trained, whatever the checkpoint is stored in."""
_DEVICES = ("cpu", "cuda:0", "mps", "xpu", "npu", "hpu")


def refuse_weightless(name: str) -> UsageError:
    """Makes the refusal of a model that has no weights here."""
    return UsageError(
        f"model {name!r} has no weights to train; training needs a checkpoint, such as 'tiny'"
    )


def require_trainable(backend: Backend, settings: TrainingSettings) -> HFBackend:
    """Returns the backend if its weights can be trained with these settings.

    Raises:
        UsageError: it has no weights or packed ones, is a base with an adapter, is to lie on
            devices that no training uses, or is big and would be trained whole at a rate that
            ruins it.
        MissingExtra: a library is not installed.
    """
    for name in ("accelerate", *(["peft"] if settings.lora else [])):
        try:
            version(name)
        except PackageNotFoundError:
            raise MissingExtra("coderobust finetune", "train") from None
    if not isinstance(backend, HFBackend):
        # The identity of a served model asks its server, which nobody needs here.
        name = getattr(backend, "name", None) or backend.identity.name
        raise refuse_weightless(name)
    if _is_packed(backend.checkpoint):
        raise UsageError(
            f"model {backend.name!r} has packed weights, which no training moves; train the "
            "checkpoint that they were packed from"
        )
    if backend.checkpoint.adapter is not None:
        raise UsageError(
            f"model {backend.name!r} is a base with an adapter on top; merge the two into one "
            "checkpoint to train it further"
        )
    if backend.device not in _DEVICES:
        raise UsageError(
            f"--device {backend.device}: a training takes auto, cpu or cuda, and "
            "CUDA_VISIBLE_DEVICES chooses among several"
        )
    parameters = count_parameters(backend.checkpoint)
    if settings.rate >= CAREFUL_RATE and settings.lora is None and parameters > BIG:
        raise UsageError(
            f"--lr {settings.rate:g}: model {backend.name!r} has {parameters / 1e6:.0f} million "
            f"parameters and unlearns at rates from {CAREFUL_RATE:g}; use --lora or a lower rate"
        )
    return backend


def load_base(backend: HFBackend, lora: LoraSettings | None) -> Any:
    """Loads a model to be trained, on the processor; what is trained is in float32.

    Under LoRA the model itself is frozen, and on an accelerator keeps the dtype of its checkpoint.

    Raises:
        ModelError: it cannot be loaded.
    """
    from pytest_coderobust.models.loaded_model import load

    frozen = lora is not None and backend.device != "cpu"
    dtype = stored_dtype(backend.checkpoint) if frozen else MASTER
    loaded = load(backend.name, backend.checkpoint, dtype, "cpu", backend.options)
    return loaded.model if lora is None else _add_lora(loaded.model, lora)


def find_pad(backend: HFBackend) -> int:
    """Finds the token that fills shorter rows; no loss or attention sees it."""
    tokenizer = backend.tokenizer
    found = tokenizer.pad_token_id
    return int(tokenizer.eos_token_id if found is None else found)


def _is_packed(checkpoint: Checkpoint) -> bool:
    """Whether weights are packed into few bits: a GGUF file, or a checkpoint that says so."""
    return checkpoint.header is not None or bool(
        read_configuration(checkpoint).get("quantization_config")
    )


def _add_lora(model: Any, lora: LoraSettings) -> Any:
    from peft import LoraConfig, get_peft_model

    settings = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    model.enable_input_require_grads()
    return get_peft_model(model, settings)
