"""Claims of a server about its model beside what the user stated: a contradiction is refused."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, cast

from pytest_coderobust.models.checkpoint import Checkpoint
from pytest_coderobust.models.fingerprint import file_digest
from pytest_coderobust.models.folders import read_json
from pytest_coderobust.models.gguf import read_header
from pytest_coderobust.models.served.gguf_claims import list_contradictions
from pytest_coderobust.models.served.handshake_claims import ListedModel, as_count, as_table
from pytest_coderobust.models.served.identity_weights import StatedWeights, find_stated_weights
from pytest_coderobust.models.served.transport import Transport

ROOM = 0.01
"""Share by which a count of parameters may differ: engines drop or add small tensors."""


@dataclass(frozen=True, slots=True)
class WeightSizes:
    """Sizes of a stated folder; None where they cannot be counted.

    Attributes:
        vocabularies: numbers of tokens that engines may tell: the network's, the tokenizer's.
    """

    parameters: int | None = None
    vocabularies: tuple[int, ...] = ()


def refute_claims(claims: ListedModel, stated: StatedWeights, *, local: bool) -> str:
    """Compares what a server says of its model with what was stated.

    Args:
        local: the server runs on this machine, so that its paths can be followed.

    Returns:
        The contradiction, as the end of a sentence; "" where there is none.
    """
    if stated.file is not None:
        header = read_header(str(stated.file), stated.file)
        if found := list_contradictions(header, claims):
            return "; ".join(found)
    sizes = _measure_checkpoint(stated.checkpoint) if stated.checkpoint else WeightSizes()
    said, known = claims.parameters, sizes.parameters
    if said is not None and known is not None and abs(said - known) > ROOM * known:
        return f"it says that its model has {said} parameters, and the one stated has {known}"
    tokens = claims.vocabulary
    if tokens is not None and sizes.vocabularies and tokens not in sizes.vocabularies:
        return (
            f"it says that it knows {tokens} tokens, and the model stated {sizes.vocabularies[0]}"
        )
    return _refute_root(claims.root, stated, local=local)


def refute_tokens(
    transport: Transport, model: str, prompts: Sequence[str], tokenize: Callable[[str], list[int]]
) -> str:
    """Compares a server's token ids with a tokenizer's, where the server tells them (/tokenize).

    Args:
        tokenize: gives a text's ids without special tokens.

    Returns:
        The contradiction, as the end of a sentence; "" where there is none.
    """
    for prompt in prompts:
        # llama.cpp reads `content` and `add_special`, vLLM `prompt` and `add_special_tokens`.
        body = {"content": prompt, "add_special": False, "with_pieces": False}
        reply = transport.post(
            "//tokenize", {**body, "model": model, "prompt": prompt, "add_special_tokens": False}
        )
        tokens = as_table(reply.body).get("tokens") if reply.ok else None
        if not isinstance(tokens, list):
            return ""
        theirs, ours = cast("list[object]", tokens), tokenize(prompt)
        if theirs != ours:
            place = next(
                (
                    at
                    for at, pair in enumerate(zip(theirs, ours, strict=False))
                    if pair[0] != pair[1]
                ),
                min(len(theirs), len(ours)),
            )
            return (
                f"the server has another tokenizer: of {prompt[:40]!r} it makes {len(theirs)} "
                f"tokens, the one stated {len(ours)}, and they part at token {place + 1}"
            )
    return ""


def _refute_root(root: str, stated: StatedWeights, *, local: bool) -> str:
    """Follows the path, or reads the hub's name, that a server says it loaded."""
    if stated.hub:
        named = root.count("/") == 1 and not root.startswith((".", "/", "~"))
        return f"it says that it loaded {root!r}" if named and root != stated.hub else ""
    path = Path(root)
    if not (root and local and path.is_absolute()):
        return ""
    if stated.file is not None and path.is_file():
        other = file_digest(path) != stated.digest
    elif stated.checkpoint is not None and (path / "config.json").is_file():
        found = find_stated_weights(root, root)
        other = found is not None and found.digest != stated.digest
    else:
        return ""
    return f"it says that it loaded {root}, whose content is another" if other else ""


def _measure_checkpoint(checkpoint: Checkpoint) -> WeightSizes:
    config = read_json(checkpoint.folder / "config.json")
    inner = as_table(config.get("text_config"))
    network = as_count(config.get("vocab_size")) or as_count(inner.get("vocab_size"))
    tokenizer = _count_tokens(checkpoint.folder / "tokenizer.json")
    counts = [count for count in (network, tokenizer) if count]
    parameters = sum(map(_count_parameters, checkpoint.weights)) if checkpoint.safetensors else None
    return WeightSizes(parameters, tuple(counts))


def _count_parameters(file: Path) -> int:
    """Counts the numbers in a safetensors file by its header."""
    with file.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        header = cast("dict[str, dict[str, Any]]", json.loads(stream.read(length)))
    return sum(prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")


def _count_tokens(file: Path) -> int | None:
    """Counts the tokens of a fast tokenizer; None where there is none to be read."""
    table = read_json(file)
    ids = set(_token_ids(table))
    return max(ids) + 1 if ids else None


def _token_ids(table: dict[str, object]) -> Iterator[int]:
    vocabulary = as_table(table.get("model")).get("vocab")
    if isinstance(vocabulary, dict):
        yield from (
            each for each in cast("dict[str, object]", vocabulary).values() if isinstance(each, int)
        )
    elif isinstance(vocabulary, list):
        yield from range(len(cast("list[object]", vocabulary)))
    added = table.get("added_tokens")
    for token in cast("list[object]", added) if isinstance(added, list) else []:
        if (number := as_count(as_table(token).get("id"))) is not None:
            yield number
