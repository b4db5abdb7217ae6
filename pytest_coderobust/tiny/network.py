"""The network, a small Llama, and the files of its checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file

from pytest_coderobust.tiny.recipe import TrainingRecipe

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

END_ID = 0
PAD_ID = 1


def build(recipe: TrainingRecipe) -> LlamaForCausalLM:
    """Makes a new network; its weights follow from torch's global seed."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(LlamaConfig.from_dict(_shape(recipe)))


def round_to_storage(model: LlamaForCausalLM) -> None:
    """Rounds the weights to half precision, in which they are stored."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.to(torch.float16))


def save(model: LlamaForCausalLM, recipe: TrainingRecipe, folder: Path) -> None:
    """Writes weights in half precision, configuration and generation defaults.

    The configuration does not come from transformers, so that the files do not depend on the
    version that trained them. It asks for float32, which runs well on a CPU.
    """
    tied = {name: tensor for name, tensor in model.state_dict().items() if name != "lm_head.weight"}
    halves = {
        name: tensor.detach().cpu().to(torch.float16).contiguous() for name, tensor in tied.items()
    }
    save_file(halves, str(folder / "model.safetensors"), metadata={"format": "pt"})
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "dtype": "float32"}
    write_json(folder / "config.json", config | _shape(recipe))
    write_json(
        folder / "generation_config.json",
        {
            "bos_token_id": END_ID,
            "eos_token_id": END_ID,
            "pad_token_id": PAD_ID,
            "do_sample": False,
        },
    )


def _shape(recipe: TrainingRecipe) -> dict[str, Any]:
    return {
        "vocab_size": recipe.vocabulary,
        "hidden_size": recipe.hidden,
        "intermediate_size": recipe.inner,
        "num_hidden_layers": recipe.layers,
        "num_attention_heads": recipe.heads,
        "num_key_value_heads": recipe.heads,
        "max_position_embeddings": recipe.context,
        "initializer_range": 0.04,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": True,
        "bos_token_id": END_ID,
        "eos_token_id": END_ID,
        "pad_token_id": PAD_ID,
    }


def write_json(path: Path, value: object) -> None:
    """Writes a value to a file of the checkpoint as indented JSON."""
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
