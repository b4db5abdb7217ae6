"""Digest of everything in a checkpoint that can change an answer.

Weights are hashed whole, many gigabytes too, because name, revision and size stay the same when a
fine-tune is saved over its base. The hash of a big file is remembered in the user's cache under the
file's path, size, inode, modification time and change time, so that it is computed once. The change
time is included because no tool can set it back.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast

from platformdirs import user_cache_path

from pytest_coderobust.models.adapters import ADAPTER_WEIGHTS
from pytest_coderobust.models.checkpoint import Checkpoint
from pytest_coderobust.models.folders import ADAPTER_FILE, read_json
from pytest_coderobust.records import digest

SMALL = 1 << 24
"""Bytes below which a file is hashed each time."""

_SETTLED = 2.0
"""Seconds after a file's last change from which its times distinguish two states."""

_TOKENIZER = (
    "tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab*", "merges*", "*.model",
    "*.tiktoken", "chat_template*", "*.py",
)  # fmt: skip
_CONFIG = ("config.json", "generation_config.json")
_IRRELEVANT = ("_name_or_path", "transformers_version")


def checkpoint_digest(checkpoint: Checkpoint) -> str:
    """Hashes weights, tokenizer, code and configuration of a checkpoint, wherever it lies.

    A GGUF file holds them all, so its name does not count.
    """
    if checkpoint.header is not None:
        return digest("gguf", file_digest(checkpoint.weights[0]))
    folder = checkpoint.folder
    configs = [_without_history(read_json(folder / name)) for name in _CONFIG]
    parts: list[object] = [configs, _hash_files(checkpoint.weights)]
    parts.append(_hash_files(_match_files(checkpoint.tokenizer, _TOKENIZER)))
    if checkpoint.adapter is not None:
        parts.append([adapter_digest(checkpoint.adapter)])
    return digest(*parts)


def adapter_digest(folder: Path) -> str:
    """Hashes weights and settings of an adapter, but not the place of its base."""
    settings = read_json(folder / ADAPTER_FILE)
    settings.pop("base_model_name_or_path", None)
    names = settings.get("target_modules")
    if isinstance(names, list):  # peft writes a set, in any order
        settings["target_modules"] = sorted(map(str, cast("list[object]", names)))
    return digest(settings, file_digest(folder / ADAPTER_WEIGHTS))


def weights_digest(checkpoint: Checkpoint) -> str:
    """Hashes the weights of a checkpoint; for a GGUF file this is the file's own SHA-256."""
    if checkpoint.header is not None:
        return file_digest(checkpoint.weights[0])
    return digest(_hash_files(checkpoint.weights))


def file_digest(path: Path, *, cache: Path | None = None) -> str:
    """Computes the SHA-256 of a file, or recalls it when the file is big.

    Args:
        cache: where to remember; the user's cache folder by default.
    """
    resolved = path.resolve()
    state = _state(resolved)
    if state["size"] < SMALL:
        return _sha256(resolved)
    folder = cache or user_cache_path("pytest-coderobust") / "fingerprints"
    entry = folder / f"{digest(str(resolved))}.json"
    remembered = _recall(entry, state)
    if remembered is not None:
        return remembered
    started = time.time()
    sha256 = _sha256(resolved)
    changed = max(state["mtime_ns"], state["ctime_ns"]) / 1e9
    # A file still being written, or written a moment ago, may change without a change of times.
    if _state(resolved) == state and started - changed > _SETTLED:
        _remember(entry, state, sha256)
    return sha256


def _state(path: Path) -> dict[str, int]:
    found = path.stat()
    return {
        "size": found.st_size,
        "inode": found.st_ino,
        "mtime_ns": found.st_mtime_ns,
        "ctime_ns": found.st_ctime_ns,
    }


def _sha256(path: Path) -> str:
    hasher = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 22):
            hasher.update(chunk)
    return hasher.hexdigest()


def _recall(entry: Path, state: dict[str, int]) -> str | None:
    try:
        record = json.loads(entry.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or record.get("state") != state:
        return None
    sha256 = record.get("sha256")
    return sha256 if isinstance(sha256, str) else None


def _remember(entry: Path, state: dict[str, int], sha256: str) -> None:
    """Writes an entry whole or not at all; a cache that cannot be written is no trouble."""
    temporary = entry.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps({"state": state, "sha256": sha256}))
        temporary.replace(entry)


def _hash_files(files: Iterable[Path]) -> list[tuple[str, str]]:
    return [(file.name, file_digest(file)) for file in files]


def _match_files(folder: Path, patterns: Iterable[str]) -> list[Path]:
    def found() -> Iterator[Path]:
        for pattern in patterns:
            yield from folder.glob(pattern)

    return sorted({file for file in found() if file.is_file()})


def _without_history(config: dict[str, object]) -> dict[str, object]:
    """Drops the keys of a configuration that record only its history."""
    return {key: value for key, value in config.items() if key not in _IRRELEVANT}
