"""Tokens as a server counts them: equal to the tokenizer's, or the server is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_coderobust.models.served.handshake_probes import OPEN_PROMPT, ProbeAnswer, Prober
from pytest_coderobust.models.served.handshake_terms import PROBE_TOKENS, Terms

TokenIds = Callable[[str], Sequence[int]]
"""Gives the token ids of a prompt."""

_NO_IDS = (400, 415, 422, 500, 501)
"""Statuses that say that a list of token ids is not taken."""


def compare_tokens(
    prober: Prober, encode: TokenIds | None, bos: int | None, terms: Terms, answer: ProbeAnswer
) -> tuple[bool, int | None]:
    """Finds out whether the server takes token ids, and whether it counts a text as we do.

    Args:
        answer: the answer to `OPEN_PROMPT` as a text.

    Returns:
        Whether ids are taken, and the tokens that the server puts before a text of ours (None
        where nobody can say).

    Raises:
        ModelError: the counts differ by more than a BOS that the tokenizer leaves out.
    """
    if encode is None:
        return False, None
    ids = list(encode(OPEN_PROMPT))
    if prober.api == "completions":
        reply = prober.ask(ids, {**terms.limits(PROBE_TOKENS), "temperature": 0.0})
        if reply.status not in _NO_IDS:
            counted = prober.read(reply).prompt_tokens
            if counted not in (None, len(ids)):
                raise prober.refusal(
                    f"counts {counted} tokens for a prompt that was sent as {len(ids)} token ids"
                )
            return True, None if counted is None else 0
    return False, _extra_tokens(prober, ids, bos, answer)


def refuse_truncation(prober: Prober, terms: Terms, prompt: str) -> None:
    """Refuses a server that silently cuts prompts: three requests of one token, on chat four.

    A whole prompt must count about as many tokens as its two halves; a prompt that is openly
    refused as too long is no truncation.

    Args:
        prompt: the longest one that is to be asked.

    Raises:
        ModelError: the server truncates prompts.
    """
    middle = len(prompt) // 2
    parts = [prompt, prompt[:middle], prompt[middle:]]
    counts = [_count(prober, terms, part) for part in parts]
    # A chat's template is in each of the three counts.
    frame = (_count(prober, terms, "x") or 1) - 1 if prober.api == "chat" else 0
    if any(count is None for count in counts):
        return
    whole, first, second = (count - frame for count in counts if count is not None)
    if whole < 0.9 * (first + second):
        raise prober.refusal(
            f"truncates prompts: it counts {whole} tokens for a prompt whose halves have {first} "
            f"and {second}; raise its window (Ollama: num_ctx), or leave long prompts out"
        )


def _extra_tokens(
    prober: Prober, ids: Sequence[int], bos: int | None, answer: ProbeAnswer
) -> int | None:
    counted = answer.prompt_tokens
    if counted is None:
        return None
    extra = counted - len(ids)
    starts = bos is not None and list(ids[:1]) == [bos]
    if extra == 0 or (extra == 1 and not starts and prober.api == "completions"):
        return extra
    shown = f"it counts {counted} tokens for a prompt that has {len(ids)} by the stated tokenizer"
    if extra == 1 and starts:
        raise prober.refusal(f"doubles the BOS token: {shown}")
    if extra > 0:
        raise prober.refusal(
            f"puts text of its own around prompts, or has another tokenizer: {shown}"
        )
    raise prober.refusal(f"truncates prompts, or has another tokenizer: {shown}")


def _count(prober: Prober, terms: Terms, prompt: str) -> int | None:
    reply = prober.ask(prompt, {**terms.limits(1), "temperature": 0.0})
    return prober.read(reply).prompt_tokens if reply.status not in (400, 413, 422) else None
