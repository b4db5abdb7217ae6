"""Runs llama.cpp's server on a GGUF file until its standard input ends; a process of its own.

Arguments: the file, the port (0 takes a free one), slots, tokens a slot, the model's alias, and
"exact" for attention in float32 throughout.
"""

from __future__ import annotations

import sys


def main(file: str, port: str, slots: str, window: str, alias: str, cache: str) -> None:
    from xllamacpp import CommonParams, Server, ggml_type, llama_flash_attn_type

    params = CommonParams()
    params.model.path = file
    params.hostnames = ["127.0.0.1"]
    params.port = int(port)
    params.n_parallel = int(slots)
    params.n_ctx = int(slots) * int(window)
    params.model_alias = {alias}
    # With two threads its threads spin at barriers, which on busy cores takes a hundred times longer.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    if cache == "exact":
        params.cache_type_k = params.cache_type_v = ggml_type.GGML_TYPE_F32
        params.flash_attn_type = llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    server = Server(params)
    sys.stdout.write(f"ready {server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
