"""Canaries on the wire: log-probabilities asked for and read, in both forms of the protocol."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.served.canary import CanaryAnswer, CanaryToken

RIVALS = 5
"""Candidates asked for at each token; the most that the completions form allows everywhere."""

LEAST = -9999.0
"""Log-probability in the place of minus infinity, as vLLM writes it; JSON has no infinity."""


def ask_for_logprobs(body: Mapping[str, object], *, chat: bool) -> dict[str, object]:
    """Adds to a request what makes a server tell log-probabilities."""
    wanted = {"logprobs": True, "top_logprobs": RIVALS} if chat else {"logprobs": RIVALS}
    return {**body, **wanted}


def read_canary_answer(body: object) -> CanaryAnswer:
    """Reads text and log-probabilities of an answer to one request.

    The chat form (`content[].top_logprobs`) is read on completions, too: llama.cpp gives it there.
    A text is read with the thought before it where the server keeps them apart; a thought that is
    hidden and takes all tokens leaves an empty one.

    Raises:
        ModelError: it is no completion.
    """
    choices = _list(_table(body).get("choices"))
    choice = _table(choices[0]) if len(choices) == 1 else {}
    if not choice:
        raise ModelError("the answer to a canary is no completion")
    message = _table(choice.get("message"))
    said = message.get("content") if message else choice.get("text")
    thought = message.get("reasoning_content") or message.get("reasoning")
    parts = [part for part in (thought, said) if isinstance(part, str)]
    logprobs = _table(choice.get("logprobs"))
    content = _list(logprobs.get("content"))
    tokens = _read_chat_form(content) if content else _read_completions_form(logprobs)
    return CanaryAnswer("".join(parts), tokens)


def _read_chat_form(content: Sequence[Any]) -> tuple[CanaryToken, ...]:
    found: list[CanaryToken] = []
    for each in map(_table, content):
        rivals = [
            (str(rival.get("token", "")), _number(rival.get("logprob")))
            for rival in map(_table, _list(each.get("top_logprobs")))
        ]
        found.append(_make(each.get("token"), each.get("logprob"), rivals))
    return tuple(found)


def _read_completions_form(logprobs: Mapping[str, Any]) -> tuple[CanaryToken, ...]:
    texts = _list(logprobs.get("tokens"))
    chosen = _list(logprobs.get("token_logprobs"))
    tops = _list(logprobs.get("top_logprobs"))
    if len(chosen) != len(texts):
        return ()
    rivals = [[(str(text), _number(value)) for text, value in _table(top).items()] for top in tops]
    rivals += [[] for _ in range(len(texts) - len(rivals))]
    return tuple(map(_make, texts, chosen, rivals))


def _make(text: object, logprob: object, rivals: Sequence[tuple[str, float | None]]) -> CanaryToken:
    known = tuple((name, value) for name, value in rivals if value is not None)
    return CanaryToken(str(text), _number(logprob), known)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if number == -math.inf:
        return LEAST
    return max(LEAST, number) if math.isfinite(number) else None


def _table(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
