"""A tiny random checkpoint of every architecture that can be edited."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers as hf

from pytest_coderobust.models.quiet import quiet
from support.models_checkpoints import byte_level, save, wrap

_SIZES = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "initializer_range": 0.3,
}
_GPT = {"n_embd": 16, "n_layer": 3, "n_positions": 256, "initializer_range": 0.3}

ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", _SIZES),
    "llama-bias": ("Llama", {**_SIZES, "mlp_bias": True, "attention_bias": True}),
    "qwen2": ("Qwen2", _SIZES),
    "stablelm": ("StableLm", {**_SIZES, "use_qkv_bias": True}),
    "stablelm-parallel": ("StableLm", {**_SIZES, "use_parallel_residual": True}),
    "gpt-bigcode": ("GPTBigCode", {**_GPT, "n_head": 2, "multi_query": True}),
    "starcoder2": ("Starcoder2", {**_SIZES, "use_bias": True}),
    "codegen": ("CodeGen", {**_GPT, "n_head": 4, "rotary_dim": 4}),
    "phi": ("Phi", _SIZES),
    "gpt2": ("GPT2", {**_GPT, "n_head": 2}),
}
"""Name -> transformers class and sizes; biases, parallel attention and Conv1D among them."""


def network(name: str, tokenizer: Any, **sizes: Any) -> Any:
    kind, defaults = ARCHITECTURES[name]
    torch.manual_seed(0)
    head = "GPT2LMHeadModel" if kind == "GPT2" else f"{kind}ForCausalLM"
    config = getattr(hf, f"{kind}Config")(
        # Some tokenizers add tokens of their own when they are loaded again.
        vocab_size=len(tokenizer) + 8,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **{**defaults, **sizes},
    )
    with quiet():
        model = getattr(hf, head)(config)
        # Biases start at zero, where a forgotten one would not show.
        for parameter_name, parameter in model.named_parameters():
            if parameter_name.endswith("bias"):
                torch.nn.init.normal_(parameter, std=0.3)
    return model


def save_architecture(folder: Path, name: str, **sizes: Any) -> Path:
    tokenizer = wrap(byte_level())
    return save(folder, network(name, tokenizer, **sizes), tokenizer)


def save_other(kind: str, folder: Path) -> Path:
    """A tiny random checkpoint of an architecture that no editor has to know."""
    tokenizer = wrap(byte_level())
    sizes: dict[str, Any] = {
        "vocab_size": len(tokenizer) + 8,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": None,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "initializer_range": 0.3,
    }
    heads = {"intermediate_size": 32, "num_attention_heads": 2, "max_position_embeddings": 256}
    sizes |= {
        "Mistral": {**heads, "num_key_value_heads": 2, "sliding_window": 6},
        "Gemma2": {**heads, "num_key_value_heads": 1, "head_dim": 8, "sliding_window": 6},
        "Olmo": {**heads, "num_key_value_heads": 2},
        "Bloom": {"n_head": 2, "n_layer": 2},
        "OPT": {**heads, "ffn_dim": 32, "word_embed_proj_dim": 16},
        "GPTNeoX": heads,
        "Mamba": {"state_size": 4},
    }[kind]
    torch.manual_seed(3)
    config = getattr(hf, f"{kind}Config")(**sizes)
    with quiet():
        return save(folder, getattr(hf, f"{kind}ForCausalLM")(config), tokenizer)
