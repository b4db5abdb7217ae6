"""Answers of a served model: text, end and price of one request, or the reason that it is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from pytest_coderobust.records import Completion, Finish, Sampling, Usage

BYTES_PER_TOKEN = 3.5
"""Length of a token where nobody counts them."""

_NO_ANSWER = ("content_filter", "tool_calls", "function_call", "abort", "error")


class NotAnAnswer(Exception):
    """A reply of status 200 that completes nothing; it never counts as an empty text."""


@dataclass(frozen=True, slots=True)
class ServedAnswer:
    """An answer, and what the server said of itself with it.

    Attributes:
        prompt_tokens: as the server counts them; None where it does not.
        model: the name that it answered as, or "".
    """

    completion: Completion
    usage: Usage
    prompt_tokens: int | None
    model: str
    fingerprint: str


def read_answer(body: Any, sampling: Sampling, prompt_bytes: int, seconds: float) -> ServedAnswer:
    """Takes a reply of status 200 apart; the text ends before the first of all stop strings.

    Args:
        body: the JSON value of either API.
        prompt_bytes: the prompt's length, for an estimate where the server gives no counts.

    Raises:
        NotAnAnswer: it holds no text that the model ended by itself, by a stop string or by length.
    """
    table = _table(body)
    choices = table.get("choices")
    if not isinstance(choices, list):
        raise NotAnAnswer("something else than a completion came")
    if len(cast("list[object]", choices)) != 1:
        raise NotAnAnswer(f"{len(cast('list[object]', choices))} completions came in place of one")
    choice = _table(choices[0])
    reason = choice.get("finish_reason")
    if reason in _NO_ANSWER:
        raise NotAnAnswer(f"the server ended it by {reason!r}")
    whole = _find_text(choice)
    text = cut(whole, sampling.stop)
    counts = _table(table.get("usage"))
    finish = _find_finish(choice, stopped=len(text) < len(whole))
    usage = _read_usage(counts, prompt_bytes, whole, seconds)
    ended_itself = finish == "eos" and not usage.estimated
    tokens = max(usage.output - ended_itself, 0)  # servers count the end token
    return ServedAnswer(
        completion=Completion(text, finish, tokens),
        usage=usage,
        prompt_tokens=_count(counts.get("prompt_tokens")),
        model=_text(table.get("model")),
        fingerprint=_text(table.get("system_fingerprint")),
    )


def read_price(body: object, prompt_bytes: int, seconds: float) -> Usage:
    """Reads what one request cost, whatever else its reply holds; a refusal tells no tokens.

    Args:
        prompt_bytes: as `read_answer`.
    """
    table = _table(body)
    choices = table.get("choices")
    if not isinstance(choices, list):
        return Usage(requests=1, seconds=seconds)
    texts = [_table(each) for each in cast("list[object]", choices)]
    said = [_text(_table(each.get("message")).get("content") or each.get("text")) for each in texts]
    return _read_usage(_table(table.get("usage")), prompt_bytes, "".join(said), seconds)


@dataclass(frozen=True, slots=True)
class AnswerSigns:
    """Words of an answer about who wrote it; "" where it does not say."""

    model: str
    fingerprint: str


def read_signs(body: object) -> AnswerSigns:
    """Reads who wrote an answer."""
    table = _table(body)
    return AnswerSigns(_text(table.get("model")), _text(table.get("system_fingerprint")))


def cut(text: str, stops: tuple[str, ...]) -> str:
    """Cuts a text before the earliest occurrence of any stop string."""
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    return text[: min(places)] if places else text


def estimate_tokens(size: int) -> int:
    """Estimates the number of tokens of that many bytes."""
    return round(size / BYTES_PER_TOKEN)


def _find_text(choice: dict[str, Any]) -> str:
    message = _table(choice.get("message"))
    text = message.get("content") if "message" in choice else choice.get("text")
    if isinstance(text, str):
        return text
    if refusal := _text(message.get("refusal")):
        raise NotAnAnswer(f"the model refuses: {refusal[:200]}")
    raise NotAnAnswer("it has no text")


def _find_finish(choice: dict[str, Any], *, stopped: bool) -> Finish:
    if stopped or isinstance(choice.get("stop_reason"), str):
        return "stop"
    return "length" if choice.get("finish_reason") == "length" else "eos"


def _read_usage(counts: dict[str, Any], prompt_bytes: int, text: str, seconds: float) -> Usage:
    given, written = _count(counts.get("prompt_tokens")), _count(counts.get("completion_tokens"))
    prompt, completion = "prompt_tokens_details", "completion_tokens_details"
    size = len(text.encode("utf-8", "surrogatepass"))
    return Usage(
        requests=1,
        input=estimate_tokens(prompt_bytes) if given is None else given,
        cached=_count(_table(counts.get(prompt)).get("cached_tokens")) or 0,
        output=estimate_tokens(size) if written is None else written,
        reasoning=_count(_table(counts.get(completion)).get("reasoning_tokens")) or 0,
        seconds=seconds,
        estimated=int(given is None or written is None),
    )


def _table(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return cast("int", value) if whole else None
