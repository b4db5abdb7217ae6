"""GGUF file of a small Llama checkpoint, written with the `gguf` package, and its tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors.numpy import load_file

_ROWS_OF_HEADS = ("attn_q.weight", "attn_k.weight")
_LAYER = {
    "input_layernorm.weight": "attn_norm.weight",
    "self_attn.q_proj.weight": "attn_q.weight",
    "self_attn.k_proj.weight": "attn_k.weight",
    "self_attn.v_proj.weight": "attn_v.weight",
    "self_attn.o_proj.weight": "attn_output.weight",
    "post_attention_layernorm.weight": "ffn_norm.weight",
    "mlp.gate_proj.weight": "ffn_gate.weight",
    "mlp.up_proj.weight": "ffn_up.weight",
    "mlp.down_proj.weight": "ffn_down.weight",
}
_REST = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
}


def write_gguf(
    folder: Path,
    file: Path,
    *,
    noise: float = 0.0,
    packed: bool = False,
    splitter: str = "starcoder",
) -> Path:
    """Writes a Llama checkpoint whose tokenizer is a byte-level BPE of `tiny`'s kind.

    Args:
        noise: added to one projection, in its standard deviations: another model of equal claims.
        packed: matrices whose columns fill blocks become Q8_0; the 344 of `tiny` do not. Else all
            is F32, as in the checkpoint.
        splitter: what the file says of the way text is split; "starcoder" takes single digits off,
            as `tiny` does.
    """
    config = json.loads((folder / "config.json").read_text())
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    writer = gguf.GGUFWriter(file, "llama")
    kinds = gguf.LlamaFileType
    writer.add_file_type(kinds.MOSTLY_Q8_0 if packed else kinds.ALL_F32)
    writer.add_tokenizer_pre(splitter)
    _write_sizes(writer, config)
    _write_tokenizer(writer, config, tokenizer)
    for name, tensor in sorted(load_file(folder / "model.safetensors").items()):
        ours = _name(name)
        if ours.endswith(_ROWS_OF_HEADS):
            tensor = _interleave(tensor, config["num_attention_heads"])
        if noise and ours == "blk.4.ffn_down.weight":
            drawn = np.random.default_rng(0).standard_normal(tensor.shape, dtype=np.float32)
            tensor = tensor + noise * tensor.std() * drawn
        values = np.ascontiguousarray(tensor, dtype=np.float32)
        if packed and values.ndim == 2 and values.shape[1] % 32 == 0:
            q8 = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(ours, gguf.quantize(values, q8), raw_dtype=q8)
        else:
            writer.add_tensor(ours, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _write_sizes(writer: gguf.GGUFWriter, config: dict[str, Any]) -> None:
    heads = config["num_attention_heads"]
    writer.add_name("tiny")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(config["hidden_size"] // heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(config["vocab_size"])


def _write_tokenizer(
    writer: gguf.GGUFWriter, config: dict[str, Any], tokenizer: dict[str, Any]
) -> None:
    vocabulary = tokenizer["model"]["vocab"]
    special = {token["content"] for token in tokenizer["added_tokens"]}
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    assert [vocabulary[token] for token in tokens] == list(range(config["vocab_size"]))
    kinds = gguf.TokenType
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([kinds.CONTROL if t in special else kinds.NORMAL for t in tokens])
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_pad_token_id(config["pad_token_id"])
    writer.add_add_bos_token(False)


def _name(name: str) -> str:
    """Renames a tensor of transformers' Llama as llama.cpp calls it."""
    if name in _REST:
        return _REST[name]
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{_LAYER[rest]}"


def _interleave(rows: np.ndarray, heads: int) -> np.ndarray:
    """Reorders the rows of each head: halves become pairs, for llama.cpp rotates neighbours."""
    size = rows.shape[0] // heads
    return rows.reshape(heads, 2, size // 2, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)
