"""Checkpoints on disk: found in a folder or downloaded from the hub; no weights are read."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import cast

from pytest_coderobust.errors import ModelError
from pytest_coderobust.files import LFS_HEAD, explain_lfs_pointer
from pytest_coderobust.models.adapters import find_base
from pytest_coderobust.models.folders import holds_adapter, read_json
from pytest_coderobust.models.gguf import GgufHeader, names_gguf, read_header
from pytest_coderobust.models.options import ModelOptions, ModelSpec
from pytest_coderobust.models.quiet import quiet_hub

_SMALL_FILES = ("*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken", "merges*", "vocab*")
_BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}
_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder that transformers can load, or a GGUF file in one.

    Attributes:
        weights: the files that hold the tensors, in name order.
        safetensors: whether they are safetensors, else pickles that `weights_only` reads.
        adapter: the folder of a LoRA adapter on top of it; None for the model alone.
        header: the facts of a GGUF file, which holds tokenizer and configuration, too; nothing
            else in the folder is read then. None for a folder of transformers' own form.
    """

    folder: Path
    weights: tuple[Path, ...]
    safetensors: bool
    adapter: Path | None = None
    header: GgufHeader | None = None

    @property
    def tokenizer(self) -> Path:
        """The folder of the tokenizer: the adapter's, if it brings one."""
        if self.adapter is not None and (self.adapter / "tokenizer_config.json").is_file():
            return self.adapter
        return self.folder

    @property
    def place(self) -> Path:
        """The folder, or the GGUF file: what messages name."""
        return self.folder if self.header is None else self.weights[0]


def find_checkpoint(name: str, spec: ModelSpec, options: ModelOptions) -> Checkpoint:
    """Finds the checkpoint of a model; downloads it when it is not on disk.

    Raises:
        ModelError: it cannot be downloaded, has no weights of an allowed format, is an adapter
            whose base is not there, has pointers of Git LFS in place of files, or is a damaged
            GGUF file.
        UsageError: a GGUF file is not there, is something else, or lacks the package that reads it.
    """
    folder = Path(spec.id).expanduser()
    if names_gguf(spec.id):
        return Checkpoint(folder.parent, (folder,), False, header=read_header(name, folder))
    local = folder.is_dir()
    if not local:
        folder = _download(name, spec, options, ("*.safetensors",))
    if holds_adapter(folder):
        base = find_checkpoint(name, find_base(name, folder), options)
        return replace(base, adapter=folder)
    if not local and options.allow_bin and not _weights(folder, "model", "safetensors"):
        folder = _download(name, spec, options, ("*.bin",))
    if weights := _weights(folder, "model", "safetensors"):
        return _refuse_pointers(name, Checkpoint(folder, weights, safetensors=True))
    if options.allow_bin and (weights := _weights(folder, "pytorch_model", "bin")):
        return _refuse_pointers(name, Checkpoint(folder, weights, safetensors=False))
    if options.allow_bin:
        problem = "neither model.safetensors nor pytorch_model.bin"
        advice = "is it the folder of a model?" if local else "its download may be incomplete"
    else:
        problem = "no safetensors weights"
        advice = (
            "--coderobust-allow-bin loads pytorch_model.bin with weights_only=True, which runs no "
            "code of the file"
        )
    raise ModelError(f"model {name!r}: {folder} has {problem}; {advice}")


def read_size(checkpoint: Checkpoint, *names: str) -> int | None:
    """Reads a size from a checkpoint's configuration by the first of its names; None without it."""
    config = read_configuration(checkpoint)
    found = next((config[name] for name in names if name in config), None)
    return found if isinstance(found, int) and found > 0 else None


def read_configuration(checkpoint: Checkpoint) -> Mapping[str, object]:
    """Reads a checkpoint's config.json; of a GGUF file, its sizes by the names of transformers.

    Raises:
        ModelError: the file is not JSON.
    """
    header = checkpoint.header
    if header is None:
        return read_json(checkpoint.folder / "config.json")
    return {"num_hidden_layers": header.layers, "max_position_embeddings": header.window}


def stored_dtype(checkpoint: Checkpoint) -> str:
    """Reads the dtype that a checkpoint was saved in, as torch names it."""
    if checkpoint.header is not None:
        return checkpoint.header.dtype
    config = read_json(checkpoint.folder / "config.json")
    inner = config.get("text_config")
    for table in (config, cast("dict[str, object]", inner) if isinstance(inner, dict) else {}):
        for key in ("dtype", "torch_dtype"):
            if isinstance(value := table.get(key), str):
                return value.removeprefix("torch.")
    return _header_dtype(checkpoint.weights[0]) if checkpoint.safetensors else "float32"


def count_parameters(checkpoint: Checkpoint) -> int:
    """Counts the parameters in the weight files, of which only the headers are read."""
    if not checkpoint.safetensors:
        size = sum(file.stat().st_size for file in checkpoint.weights)
        return size // _BYTES.get(stored_dtype(checkpoint), 4)
    tensors = (tensor for file in checkpoint.weights for tensor in _read_header(file).values())
    shapes = (cast("list[int]", tensor.get("shape", [0])) for tensor in tensors)
    return sum(prod(shape) for shape in shapes)


def _weights(folder: Path, stem: str, suffix: str) -> tuple[Path, ...]:
    """Lists the weight files that transformers would load, in name order.

    Raises:
        ModelError: the index names a shard that is not there.
    """
    index = folder / f"{stem}.{suffix}.index.json"
    single = folder / f"{stem}.{suffix}"
    if single.is_file() or not index.is_file():
        return (single,) if single.is_file() else ()
    shards = cast("dict[str, str]", read_json(index).get("weight_map", {}))
    files = tuple(folder / shard for shard in sorted(set(shards.values())))
    for file in files:
        if not file.is_file():
            raise ModelError(f"{index.name} names {file.name}, which is not in {folder}")
    return files


def _refuse_pointers(name: str, checkpoint: Checkpoint) -> Checkpoint:
    """Returns a checkpoint in which Git LFS left no pointer where a file should be.

    Raises:
        ModelError: there is one.
    """
    folder = checkpoint.folder
    tokenizers = [folder / name for name in ("tokenizer.json", "tokenizer.model")]
    used = [file for file in tokenizers if file.is_file()][:1]  # the first of them is read
    for file in (*checkpoint.weights, *used):
        with file.open("rb") as stream:
            problem = explain_lfs_pointer(stream.read(len(LFS_HEAD)), "the model's own")
        if problem:
            raise ModelError(f"model {name!r}: {file}: {problem}")
    return checkpoint


def _download(name: str, spec: ModelSpec, options: ModelOptions, weights: tuple[str, ...]) -> Path:
    code = ("*.py",) if options.trust_remote_code else ()
    with quiet_hub():
        from huggingface_hub import constants, snapshot_download

        try:
            folder = snapshot_download(
                spec.id,
                revision=spec.revision,
                allow_patterns=[*_SMALL_FILES, *weights, *code],
                ignore_patterns=["*/*", "consolidated*"],
            )
        except Exception as error:
            at = f" at revision {spec.revision!r}" if spec.revision else ""
            raise ModelError(
                f"model {name!r}: {spec.id}{at} cannot be downloaded ({_first_line(error)}) and is "
                f"not in the cache {constants.HF_HUB_CACHE}; a folder on disk works too: "
                "--model=./FOLDER"
            ) from error
    return Path(folder)


def _first_line(error: Exception) -> str:
    lines = (line.strip() for line in str(error).split("\n"))
    return next((line.rstrip(".") for line in lines if line), "") or repr(error)


def _header_dtype(file: Path) -> str:
    """Reads the dtype of the first floating tensor of a safetensors file."""
    stored = (str(tensor.get("dtype")) for tensor in _read_header(file).values())
    return next((_DTYPES[dtype] for dtype in stored if dtype in _DTYPES), "float32")


def _read_header(file: Path) -> dict[str, dict[str, object]]:
    """Reads the description of each tensor of a safetensors file.

    The file starts with the length of a JSON header in eight bytes, little-endian.
    """
    with file.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        header = cast("dict[str, dict[str, object]]", json.loads(stream.read(length)))
    header.pop("__metadata__", None)
    return header
