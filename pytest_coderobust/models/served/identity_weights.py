"""Weights that a user states for a served model: what they are, and the digest of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_coderobust.config.served import ServerEntry
from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.checkpoint import Checkpoint, find_checkpoint
from pytest_coderobust.models.fingerprint import checkpoint_digest, file_digest
from pytest_coderobust.models.options import ModelOptions, ModelSpec
from pytest_coderobust.models.served.identity_verification import estimate_bytes
from pytest_coderobust.records import digest


@dataclass(frozen=True, slots=True)
class StatedWeights:
    """Weights by their content.

    Attributes:
        digest: of a folder's weights, tokenizer and configuration; of a file's bytes; or of what
            was stated, where the weights are not here.
        checkpoint: the files of a folder.
        file: a GGUF file.
        hub: "ORG/NAME" of a hub's commit.
    """

    digest: str
    checkpoint: Checkpoint | None = None
    file: Path | None = None
    hub: str = ""


def find_stated_weights(label: str, stated: str, adapter: str = "") -> StatedWeights | None:
    """Finds what a user stated; None where nothing is.

    Args:
        label: the model as the user wrote it.
        stated: a folder, a .gguf file, "sha256:DIGITS" or "hf:ORG/NAME@COMMIT".
        adapter: a LoRA adapter on top of them: its folder, or a word for it.

    Raises:
        ModelError: the folder is no checkpoint.
        UsageError: nothing of the kind is there, or a branch of the hub was stated.
    """
    if not stated:
        return None
    found = _find(label, stated)
    if not adapter:
        return found
    return StatedWeights(
        digest("adapted", found.digest, _digest_adapter(Path(adapter).expanduser())), hub=found.hub
    )


def _find(label: str, stated: str) -> StatedWeights:
    if stated.startswith("sha256:"):
        return StatedWeights(stated.removeprefix("sha256:"))
    if stated.startswith("hf:"):
        name, _, commit = stated.removeprefix("hf:").partition("@")
        if not commit:
            raise UsageError(
                f"model {label!r}: weights {stated!r} names a branch of the hub, which moves; name "
                f"a commit: 'hf:{name}@0123abc'"
            )
        return StatedWeights(digest("hub", name, commit), hub=name)
    path = Path(stated).expanduser()
    if path.is_file() and path.suffix == ".gguf":
        return StatedWeights(file_digest(path), file=path)
    if not path.is_dir():
        raise UsageError(
            f"model {label!r}: weights {stated!r} is neither a folder nor a .gguf file"
        )
    found = find_checkpoint(label, ModelSpec(str(path)), ModelOptions(allow_bin=True))
    return StatedWeights(checkpoint_digest(found), checkpoint=found)


def digest_tokenizer(entry: ServerEntry) -> str:
    """Digests the tokenizer that makes the ids, where it is not that of the stated folder."""
    folder = entry.tokenizer
    if not folder or folder == entry.weights:
        return ""
    files = sorted(each for each in Path(folder).glob("*token*") if each.is_file())
    return "".join(f"{each.name} {file_digest(each)} " for each in files)


def estimate_stated(stated: StatedWeights | None) -> int | None:
    """Estimates the memory that stated weights take in float32; None where they are not here."""
    if stated is None or stated.checkpoint is None or not stated.checkpoint.safetensors:
        return None
    return estimate_bytes(stated.checkpoint)


def _digest_adapter(adapter: Path) -> str:
    """Digests the files of an adapter's folder, or the word where there is no such folder."""
    files = sorted(file for file in adapter.glob("*") if file.is_file()) if adapter.is_dir() else []
    return digest("adapter", [(file.name, file_digest(file)) for file in files] or str(adapter))
