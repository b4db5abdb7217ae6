"""GGUF files: one file with weights, tokenizer and configuration, as llama.cpp reads it.

transformers reads it, too, and unpacks its blocks to whole numbers: the same file, other kernels
and other roundings than llama.cpp's.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_coderobust.errors import MissingExtra, ModelError, UsageError
from pytest_coderobust.files import LFS_HEAD, explain_lfs_pointer

if TYPE_CHECKING:
    from gguf import GGUFReader

SUFFIX = ".gguf"
_MAGIC = b"GGUF"
_VERSIONS = (2, 3)


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """Facts in a GGUF file beside its weights.

    Attributes:
        architecture: as llama.cpp calls it ("llama", "qwen2").
        quantisation: type of most of its tensors ("Q4_1"), or "" where it is not said.
        parameters: number of its parameters.
        vocabulary: number of its tokens.
        size: bytes of its tensors.
        window: tokens that prompt and completion may have together; None where it is not said.
        layers: number of its blocks; None where it is not said.
        chat: it has a chat template.
        splitter: llama.cpp's name for the way that text is split before its bytes are merged to
            tokens; "" for a tokenizer of another kind.
    """

    architecture: str
    quantisation: str
    parameters: int
    vocabulary: int
    size: int
    window: int | None
    layers: int | None
    chat: bool
    splitter: str = ""

    @property
    def dtype(self) -> str:
        """Dtype that its tensors are computed in here, as torch names it; blocks are unpacked."""
        return {"F16": "float16", "BF16": "bfloat16"}.get(self.quantisation, "float32")


def names_gguf(name: str) -> bool:
    """Whether a model's name is the path of a GGUF file, by its end alone."""
    return name.endswith(SUFFIX)


def check_gguf(name: str, file: Path) -> None:
    """Refuses a path that is no GGUF file, by its first bytes.

    Raises:
        UsageError: there is no such file, or it is something else.
    """
    try:
        with file.open("rb") as stream:
            head = stream.read(len(LFS_HEAD))
    except OSError as error:
        reason = "there is no such file" if not file.exists() else f"cannot be read: {error}"
        raise UsageError(f"model {name!r}: {reason}") from None
    if problem := explain_lfs_pointer(head, "the model's own"):
        raise UsageError(f"model {name!r}: {problem}")
    if head[:4] != _MAGIC or len(head) < 8:
        raise UsageError(f"model {name!r}: the file is no GGUF, it begins with {head[:4]!r}")
    (version,) = struct.unpack("<I", head[4:8])
    if version not in _VERSIONS:
        raise UsageError(f"model {name!r}: GGUF of version {version} is not read, 2 and 3 are")


def read_header(name: str, file: Path) -> GgufHeader:
    """Reads the facts of a GGUF file; its weights are mapped, not read.

    Raises:
        UsageError: as `check_gguf`.
        MissingExtra: the package gguf is not installed.
        ModelError: the file is damaged, one part of several, or no language model.
    """
    check_gguf(name, file)
    try:
        from gguf import GGUFReader
    except ImportError:
        raise MissingExtra(f"model {name!r}", "gguf") from None
    try:
        reader = GGUFReader(file)
        header = _collect(reader)
        parts = _value(reader, "split.count")
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(f"model {name!r}: {file} is a damaged GGUF file: {reason}") from error
    if isinstance(parts, int) and parts > 1:
        raise ModelError(
            f"model {name!r}: {file} is one of {parts} parts; llama.cpp's `gguf-split --merge` "
            "makes one file of them"
        )
    if not (header.architecture and header.parameters and header.vocabulary):
        raise ModelError(f"model {name!r}: {file} holds no language model with its tokenizer")
    return header


def _collect(reader: GGUFReader) -> GgufHeader:
    architecture = str(_value(reader, "general.architecture") or "")
    tokens = reader.get_field("tokenizer.ggml.tokens")
    merges = _value(reader, "tokenizer.ggml.model") == "gpt2"
    return GgufHeader(
        architecture=architecture,
        quantisation=_quantisation(_value(reader, "general.file_type")),
        parameters=sum(int(tensor.n_elements) for tensor in reader.tensors),
        vocabulary=len(tokens.data) if tokens else 0,
        size=sum(int(tensor.n_bytes) for tensor in reader.tensors),
        window=_positive(_value(reader, f"{architecture}.context_length")),
        layers=_positive(_value(reader, f"{architecture}.block_count")),
        chat=bool(_value(reader, "tokenizer.chat_template")),
        splitter=str(_value(reader, "tokenizer.ggml.pre") or "") if merges else "",
    )


def _value(reader: GGUFReader, key: str) -> Any:
    field = reader.get_field(key)
    return None if field is None else field.contents()


def _quantisation(value: object) -> str:
    """Names a file type as llama.cpp's users do: "MOSTLY_Q4_K_M" is "Q4_K_M"."""
    from gguf import LlamaFileType

    try:
        return LlamaFileType(int(str(value))).name.removeprefix("MOSTLY_").removeprefix("ALL_")
    except ValueError:
        return ""


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
