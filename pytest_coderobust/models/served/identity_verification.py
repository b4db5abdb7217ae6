"""Verification of stated weights: our own network of the same folder answers the same canaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_coderobust.models.checkpoint import Checkpoint, stored_dtype
from pytest_coderobust.models.options import ModelOptions, ModelSpec
from pytest_coderobust.models.served.canary import TOKENS, Canary, CanaryAnswer, CanaryToken
from pytest_coderobust.models.served.canary_reference import CanaryReference
from pytest_coderobust.models.served.canary_rule import CEILING, compare_answers
from pytest_coderobust.models.served.canary_wire import RIVALS

if TYPE_CHECKING:
    from pytest_coderobust.models.hf import HFBackend
    from pytest_coderobust.models.loaded_model import LoadedModel

EXACT = 1e-3
"""Largest difference of a log-probability between two engines in float32 (seen: 1e-6)."""

SMALL = 2 * 2**30
"""Bytes in float32 up to which weights are verified without being asked for."""

ROOM = 1.3
"""Memory that a network takes, in sizes of its weights."""

_BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of a comparison with our own network.

    Attributes:
        verified: every canary's tokens and log-probabilities are equal.
        moved: the largest difference of a log-probability.
        refuted: the answers are not those of the stated weights: the end of a sentence, or "".
    """

    verified: bool
    moved: float
    refuted: str = ""


def estimate_bytes(checkpoint: Checkpoint) -> int:
    """Estimates the memory that a checkpoint's weights take in float32."""
    stored = sum(file.stat().st_size for file in checkpoint.weights)
    return stored * 4 // _BYTES.get(stored_dtype(checkpoint), 1)


def find_memory() -> int:
    """Finds the bytes of memory that are free for use; 0 where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else 0


def verify(
    spec: ModelSpec, references: Sequence[CanaryReference], extra_tokens: int = 0
) -> Verification:
    """Compares what a server answered with what the same folder's network answers here.

    Args:
        spec: the folder, and the form that its prompts have (template, chat); the dtype is taken
            for float32.
        references: answers with log-probabilities.
        extra_tokens: 1 where the server puts a BOS before texts.

    Raises:
        ModelError: the folder cannot be loaded.
    """
    from pytest_coderobust.models.hf import HFBackend

    backend = HFBackend(spec.id, replace(spec, dtype="float32"), ModelOptions(allow_bin=True))
    try:
        return _compare(backend, references, extra_tokens)
    finally:
        backend.close()


def _compare(
    backend: HFBackend, references: Sequence[CanaryReference], extra_tokens: int
) -> Verification:
    widest = 0.0
    exact = True
    for reference in references:
        if reference.answer is None or not reference.answer.has_logprobs:
            continue
        here = _answer_here(backend, reference.canary, extra_tokens)
        there = _normalise(reference.answer, _name_ends(backend.load()))
        # The end token is listed by some engines and not by others.
        count = min(len(here.tokens), len(there.tokens))
        agreed = reference.spread.agreed
        most = count if agreed is None else min(count, agreed)
        found = compare_answers(here, there, CEILING, most)
        apart = abs(len(here.tokens) - len(there.tokens)) > 1 and most == count
        if found.outcome == "different" or (found.outcome == "same" and apart):
            what = found.reason or "one of them ends earlier"
            return Verification(
                verified=False,
                moved=found.moved,
                refuted=f"canary {reference.canary.name!r}: {what}",
            )
        widest = max(widest, found.moved)
        exact = exact and found.outcome == "same"
    return Verification(exact and widest <= EXACT, widest)


def _answer_here(backend: HFBackend, canary: Canary, extra_tokens: int) -> CanaryAnswer:
    ids = backend.encode(canary.prompt, canary.language)
    start = backend.tokenizer.bos_token_id
    loaded = backend.load()
    with backend.model_threads(loaded):
        return _continue(loaded, [start] * extra_tokens + ids if extra_tokens else ids)


def _continue(loaded: LoadedModel, ids: Sequence[int]) -> CanaryAnswer:
    """Continues a prompt greedily, one token after the other; the end token is the last."""
    import torch

    tokens: list[CanaryToken] = []
    inputs = torch.tensor([list(ids)], device=loaded.model.device)
    past: Any = None
    with torch.no_grad():
        for _ in range(TOKENS):
            out = loaded.model(input_ids=inputs, past_key_values=past, use_cache=True)
            past = out.past_key_values
            top = torch.log_softmax(out.logits[0, -1].double(), dim=-1).topk(RIVALS)
            rivals = [
                (str(loaded.tokenizer.decode([int(token)])), float(value))
                for value, token in zip(top.values, top.indices, strict=True)
            ]
            tokens.append(CanaryToken(*rivals[0], tuple(rivals)))
            chosen = int(top.indices[0])
            if chosen in loaded.eos:
                break
            inputs = inputs.new_tensor([[chosen]])
    return _normalise(CanaryAnswer("", tuple(tokens)), _name_ends(loaded))


def _name_ends(loaded: LoadedModel) -> frozenset[str]:
    """Names the end tokens."""
    return frozenset(str(loaded.tokenizer.decode([token])) for token in loaded.eos)


def _normalise(answer: CanaryAnswer, ends: frozenset[str]) -> CanaryAnswer:
    """Takes from the tokens' texts what engines write in ways of their own.

    A part of a character and an end token have no text, and some take off the space before a word.
    The text is left out: it is that of the tokens.
    """
    tokens = tuple(
        CanaryToken(
            _plain(token.text, ends),
            token.logprob,
            tuple((_plain(text, ends), value) for text, value in token.rivals),
        )
        for token in answer.tokens
    )
    return CanaryAnswer("", tokens)


def _plain(text: str, ends: frozenset[str]) -> str:
    special = text in ends or "\ufffd" in text or text.startswith("bytes:")
    return "" if special else text.strip(" ")
