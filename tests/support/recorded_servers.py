"""Scripts that answer as real servers did: llama.cpp, vLLM, transformers serve, a hosted provider.

The bodies were recorded, the texts are drawn by hash: equal requests get equal texts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from support.scripted_server import Asked, Told

Row = Callable[[Asked], "Told | None"]
"""One deviation from a server's usual answers: None leaves the answer to the server."""


@dataclass(frozen=True, slots=True)
class Traits:
    """The way a server treats requests.

    Attributes:
        gets: answers to GET by path.
        answers_as: the response's model; "" repeats the asked name.
        limit: the fields that it takes as the limit of tokens.
        most_stops: a longer list of stop strings is refused in these words.
        known: the fields it knows; others are refused. Empty ignores unknown ones.
        added: tokens that it puts before a text.
        window: tokens that it cuts prompts to, silently.
    """

    gets: Mapping[str, Told] = field(default_factory=dict)
    answers_as: str = ""
    fingerprint: str | None = None
    limit: tuple[str, ...] = ("max_tokens",)
    most_stops: int = 99
    refused_stops: Callable[[int], Told] = lambda _: Told({"error": "stop"}, 400)
    known: frozenset[str] = frozenset()
    unknown: Callable[[list[str]], Told] = lambda names: Told({"error": ", ".join(names)}, 400)
    takes_ids: bool = True
    seeds: bool = True
    added: int = 0
    window: int = 10**9
    counts: bool = True
    default_tokens: int = 16


def count(prompt: str) -> int:
    """The scripted servers' tokenizer: a token has three characters."""
    return -(-len(prompt) // 3)


def encode(prompt: str) -> list[int]:
    """Token ids of a text as the scripted servers count them."""
    return [5] * count(prompt)


def play(traits: Traits, *rows: Row) -> Callable[[Asked], Told]:
    """Makes the script of a server with these traits; `rows` come before them."""

    def script(asked: Asked) -> Told:
        for row in rows:
            if (told := row(asked)) is not None:
                return told
        if asked.method == "GET":
            return traits.gets.get(asked.path, Told({"detail": "Not Found"}, 404))
        return _refuse(traits, asked.body) or _complete(traits, asked)

    return script


def _refuse(traits: Traits, body: dict[str, Any]) -> Told | None:
    unknown = sorted(set(body) - traits.known - {"model", "prompt", "messages"})
    if traits.known and unknown:
        return traits.unknown(unknown)
    if len(body.get("stop", ())) > traits.most_stops:
        return traits.refused_stops(traits.most_stops)
    if isinstance(body.get("prompt"), list) and not traits.takes_ids:
        return Told({"detail": "prompt must be a string."}, 400)
    return None


def _complete(traits: Traits, asked: Asked) -> Told:
    body = asked.body
    given = [body[name] for name in traits.limit if name in body]
    tokens = min(given, default=traits.default_tokens)
    text = _draw(traits, body, asked.place)[: 3 * tokens]
    prompt = body.get("prompt", body.get("messages", [{}])[-1].get("content"))
    size = len(prompt) if isinstance(prompt, list) else count(prompt) + traits.added
    choice: dict[str, Any] = {"index": 0, "finish_reason": "length"}
    if "messages" in body:
        choice["message"] = {"role": "assistant", "content": text}
    else:
        choice |= {"text": text, "logprobs": None}
    usage = {"prompt_tokens": min(size, traits.window), "completion_tokens": tokens}
    told = {"model": traits.answers_as or body["model"], "choices": [choice]}
    told |= {"usage": usage} if traits.counts else {}
    told |= {"system_fingerprint": traits.fingerprint} if traits.fingerprint else {}
    return Told(told)


def _draw(traits: Traits, body: dict[str, Any], place: int) -> str:
    """Draws a text by prompt and, when it samples, by seed (or by the request's place)."""
    prompt = body.get("prompt", body.get("messages"))
    drawn = (body.get("seed") if traits.seeds else place) if body.get("temperature") else "greedy"
    word = hashlib.sha256(json.dumps([prompt, drawn]).encode()).hexdigest()
    return word * 4


LLAMA = Traits(
    gets={
        "/v1/models": Told(
            {
                "object": "list",
                "data": [
                    {
                        "id": "/srv/tiny.gguf",
                        "aliases": ["/srv/tiny.gguf"],
                        "object": "model",
                        "created": 1795936028,
                        "owned_by": "llamacpp",
                        "meta": {
                            "vocab_type": 2,
                            "n_vocab": 1024,
                            "n_ctx": 512,
                            "n_ctx_train": 512,
                            "n_embd": 128,
                            "n_params": 1714304,
                            "size": 6857216,
                            "ftype": "all F32",
                        },
                    }
                ],
            },
            headers={"Server": "llama.cpp"},
        ),
        "/props": Told(
            {
                "default_generation_settings": {"params": {"top_k": 40}, "n_ctx": 512},
                "model_path": "/srv/tiny.gguf",
                "chat_template": "{{ messages }}",
                "build_info": "b0-unknown",
            },
            headers={"Server": "llama.cpp"},
        ),
    },
    answers_as="/srv/tiny.gguf",
    fingerprint="b0-unknown",
    limit=("max_tokens", "max_completion_tokens"),
    default_tokens=64,
)

VLLM = Traits(
    gets={
        "/v1/models": Told(
            {
                "object": "list",
                "data": [
                    {
                        "id": "tiny",
                        "object": "model",
                        "created": 1790000000,
                        "owned_by": "vllm",
                        "root": "/srv/tiny",
                        "parent": None,
                        "max_model_len": 512,
                        "permission": [],
                    }
                ],
            }
        ),
        "/version": Told({"version": "0.32.0"}),
    },
    fingerprint="vllm-0.32.0-1f0182db",
    most_stops=4,
    refused_stops=lambda most: Told(
        {
            "error": {
                "message": "[{'type': 'value_error', 'loc': ('body',), 'msg': 'Value error, stop "
                f"can have at most {most} items', 'input': {{'model': 'tiny', 'max_tokens': 3, "
                "'top_k': 0}}]",
                "type": "Bad Request",
                "param": None,
                "code": 400,
            }
        },
        400,
    ),
)

TRANSFORMERS = Traits(
    gets={"/v1/models": Told(b"Internal Server Error", 500)},
    answers_as="/srv/tiny@main",
    known=frozenset({"max_tokens", "temperature", "top_p", "stop", "seed"}),
    unknown=lambda names: Told(
        {"detail": f"Unexpected fields in the request: {set(names)!r}"}, 422
    ),
    takes_ids=False,
)

HOSTED = Traits(
    gets={
        "/v1/models": Told(
            {"data": [{"id": "gpt-9", "owned_by": "system"}, {"id": "o9", "owned_by": "system"}]}
        )
    },
    answers_as="gpt-9-2026-08-06",
    fingerprint="fp_44709d6fcb",
    limit=("max_completion_tokens",),
    most_stops=4,
    refused_stops=lambda most: Told(
        {
            "error": {
                "message": "Invalid 'stop': array too long. Expected an array with maximum length "
                f"{most}, but got an array with length 32 instead.",
                "type": "invalid_request_error",
                "param": "stop",
                "code": "array_above_max_length",
            }
        },
        400,
    ),
    known=frozenset({"max_completion_tokens", "temperature", "top_p", "stop", "seed"}),
    unknown=lambda names: Told(
        {
            "error": {
                "message": f"Unsupported parameter: '{names[0]}' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
                "type": "invalid_request_error",
                "param": names[0],
                "code": "unsupported_parameter",
            }
        },
        400,
    ),
)
