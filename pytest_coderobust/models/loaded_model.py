"""Loaded model: a checkpoint in memory with its tokenizer and the facts that decoding needs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from pytest_coderobust.errors import CodeRobustError, ModelError
from pytest_coderobust.models.adapter_loading import add_adapter
from pytest_coderobust.models.checkpoint import Checkpoint
from pytest_coderobust.models.gguf_loading import (
    forget_packing,
    gguf_model_arguments,
    gguf_tokenizer_arguments,
    quiet_unpacking,
)
from pytest_coderobust.models.gguf_tokenizer import mend_tokenizer
from pytest_coderobust.models.options import DEVICE_MAPS, ModelOptions
from pytest_coderobust.models.quiet import quiet


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that is ready to generate.

    Attributes:
        eos: every token id that ends a completion.
        pad: fills shorter rows; always masked.
        window: tokens that prompt and completion may have together; None is no limit.
        edits: digests of the edits in force, the oldest first; empty while the weights are the
            checkpoint's own.
    """

    model: Any
    tokenizer: Any
    eos: tuple[int, ...]
    pad: int
    window: int | None
    parameters: int
    edits: list[str] = field(default_factory=list[str])


def load(
    name: str, checkpoint: Checkpoint, dtype: str, device: str, options: ModelOptions
) -> LoadedModel:
    """Loads a checkpoint, silently.

    Raises:
        ModelError: transformers cannot load it, or it lacks tensors of the model.
    """
    tokenizer = load_tokenizer(name, checkpoint, options)
    # With output_loading_info transformers returns a pair, which its types do not say.
    load_model: Callable[..., Any] = AutoModelForCausalLM.from_pretrained
    with quiet(), quiet_unpacking(checkpoint), _named_errors(name, checkpoint):
        model, report = load_model(
            checkpoint.folder,
            dtype=getattr(torch, dtype),
            use_safetensors=checkpoint.safetensors,
            weights_only=True,
            trust_remote_code=options.trust_remote_code,
            local_files_only=True,
            output_loading_info=True,
            **gguf_model_arguments(checkpoint),
            **({"device_map": device} if device in DEVICE_MAPS else {}),
        )
        if checkpoint.header is not None:
            forget_packing(model)
    _refuse_missing(name, checkpoint, report["missing_keys"])
    if checkpoint.adapter is not None:
        with quiet(), _named_errors(name, checkpoint):
            model = add_adapter(name, model, checkpoint.adapter)
    if device not in DEVICE_MAPS:
        model = model.to(device)
    return make_loaded(model.eval(), tokenizer)


def load_tokenizer(name: str, checkpoint: Checkpoint, options: ModelOptions) -> Any:
    """Loads the tokenizer of a checkpoint.

    Raises:
        ModelError: transformers cannot load it.
    """
    with quiet(), _named_errors(name, checkpoint):
        tokenizer = AutoTokenizer.from_pretrained(
            checkpoint.tokenizer,
            trust_remote_code=options.trust_remote_code,
            local_files_only=True,
            **gguf_tokenizer_arguments(checkpoint),
        )
    if checkpoint.header is None:
        return tokenizer
    return mend_tokenizer(name, tokenizer, checkpoint.header)


def read_end_tokens(
    name: str, checkpoint: Checkpoint, tokenizer: Any, options: ModelOptions
) -> tuple[int, ...]:
    """Reads the end tokens that the loaded model would have, without its weights.

    Raises:
        ModelError: the configuration cannot be read.
    """
    folder = checkpoint.folder
    with quiet(), _named_errors(name, checkpoint):
        config = AutoConfig.from_pretrained(
            folder, trust_remote_code=options.trust_remote_code, local_files_only=True
        )
        generation = config
        if (folder / "generation_config.json").is_file():
            generation = GenerationConfig.from_pretrained(folder, local_files_only=True)
    return _eos(SimpleNamespace(generation_config=generation, config=config), tokenizer)


def make_loaded(model: Any, tokenizer: Any) -> LoadedModel:
    """Collects the facts of a model in memory.

    The model's own generation defaults (a repetition penalty, a temperature) are dropped: the suite
    alone says how to decode, and what it does not say is off.
    """
    eos = _eos(model, tokenizer)
    pad = tokenizer.pad_token_id
    if pad is None:
        pad = eos[0] if eos else 0
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        eos_token_id=list(eos) or None,
        pad_token_id=pad,
        bos_token_id=tokenizer.bos_token_id,
    )
    window = getattr(model.config, "max_position_embeddings", None)
    return LoadedModel(
        model=model,
        tokenizer=tokenizer,
        eos=eos,
        pad=pad,
        window=window if isinstance(window, int) and window > 0 else None,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
    )


@contextmanager
def _named_errors(name: str, checkpoint: Checkpoint) -> Generator[None]:
    """Context in which an error becomes a ModelError that names the model."""
    try:
        yield
    except CodeRobustError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or repr(error)
        raise ModelError(
            f"model {name!r}: {checkpoint.place} cannot be loaded: {reason}"
        ) from error


def _eos(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """Collects the end tokens that the model, its generation defaults or the tokenizer name."""
    found: list[int] = []
    sources = (model.generation_config, model.config, tokenizer)
    for value in (getattr(source, "eos_token_id", None) for source in sources):
        found += value if isinstance(value, (list, tuple)) else [value] if value is not None else []
    return tuple(dict.fromkeys(found))


def _refuse_missing(name: str, checkpoint: Checkpoint, missing: Iterable[str]) -> None:
    """Refuses a checkpoint that lacks tensors; transformers would fill them with noise."""
    absent = sorted(missing)
    if absent:
        raise ModelError(
            f"model {name!r}: {checkpoint.place} lacks {len(absent)} tensors of its model, "
            f"the first is {absent[0]}"
        )
