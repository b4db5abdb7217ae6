"""A checkpoint behind the scripted server: a network that answers as vLLM or llama.cpp would."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pytest_coderobust.models.quiet import quiet
from support.scripted_server import Asked, Told

_GREEDY: dict[tuple[str, float, tuple[int, ...]], tuple[list[int], list[torch.Tensor]]] = {}
"""Greedy answers of all checkpoints of a test session, by folder, noise and prompt."""

LogprobForm = Literal["completions", "chat", "none", "refused"]


@cache
def _load(folder: Path, noise: float) -> tuple[Any, Any]:
    with quiet():
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    if noise:
        weight = model.model.layers[0].mlp.down_proj.weight
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            weight += noise * weight.std() * torch.randn(weight.shape, generator=generator)
    return model, tokenizer


class ServedCheckpoint:
    """A script of the server: transformers' own `generate` on a folder, one request at a time.

    Args:
        form: the form of log-probabilities on completions; "refused" answers 400 to who asks.
        noise: added to the weights of one projection, in its standard deviations.
        root: the path that it says it loaded.
        jitter: added to every log-probability, another one in each answer.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "served",
        form: LogprobForm = "completions",
        noise: float = 0.0,
        fingerprint: str = "vllm-0.32.0-1f0182db",
        jitter: float = 0.0,
        window: int = 256,
        root: str = "/models/served",
    ) -> None:
        self._model, self._tokenizer = _load(folder, noise)
        self.folder, self.name, self.form, self.root = folder, name, form, root
        self.fingerprint, self.jitter, self.window = fingerprint, jitter, window
        self._noise = noise
        self._lock = threading.Lock()
        self._answers = 0

    def __call__(self, asked: Asked) -> Told:
        if asked.path.endswith("/models"):
            entry = {
                "id": self.name,
                "object": "model",
                "owned_by": "vllm",
                "root": self.root,
                "max_model_len": self.window,
            }
            return Told({"object": "list", "data": [entry]})
        if asked.path.endswith("/version"):
            return Told({"version": "0.32.0"})
        if asked.path.endswith("/tokenize"):
            ids = self._tokenizer(asked.body["prompt"], add_special_tokens=False)["input_ids"]
            return Told({"tokens": ids, "count": len(ids)})
        if asked.path.endswith("/completions"):
            return self._complete(asked.body, chat="/chat/" in asked.path)
        return Told({"error": {"message": "not found"}}, status=404)

    def _complete(self, body: dict[str, Any], *, chat: bool) -> Told:
        prompt = body["messages"][0]["content"] if chat else body["prompt"]
        ids = self._tokenizer(prompt)["input_ids"] if isinstance(prompt, str) else list(prompt)
        limit = body.get("max_tokens", 16)
        if len(ids) + limit > self.window:
            message = f"This model's maximum context length is {self.window} tokens"
            return Told({"error": {"message": message}}, status=400)
        wants = bool(body.get("logprobs"))
        if wants and self.form == "refused":
            return Told({"error": {"message": "logprobs are not supported"}}, status=400)
        with self._lock:
            self._answers += 1
            made, scores = self._find_answer(ids, limit, body)
        ended = self._ends(made)
        shown = made[:-1] if ended else made
        text = self._tokenizer.decode(shown)
        choice: dict[str, Any] = {
            "index": 0,
            "finish_reason": "stop" if ended else "length",
            **({"message": {"role": "assistant", "content": text}} if chat else {"text": text}),
        }
        if wants and self.form != "none":
            form = "chat" if chat else self.form
            choice["logprobs"] = self._tell(shown, scores, form)
        usage = {"prompt_tokens": len(ids), "completion_tokens": len(made)}
        return Told(
            {
                "model": self.name,
                "system_fingerprint": self.fingerprint,
                "choices": [choice],
                "usage": usage,
            }
        )

    def _find_answer(
        self, ids: list[int], limit: int, body: dict[str, Any]
    ) -> tuple[list[int], list[torch.Tensor]]:
        """An answer; a greedy one is computed once, and a shorter one is its beginning."""
        if body.get("temperature", 1.0) > 0:
            return self._generate(ids, limit, body)
        key = (str(self.folder), self._noise, tuple(ids))
        if key not in _GREEDY or (len(_GREEDY[key][0]) < limit and not self._ends(_GREEDY[key][0])):
            _GREEDY[key] = self._generate(ids, limit, body)
        made, scores = _GREEDY[key]
        return made[:limit], scores[:limit]

    def _ends(self, made: list[int]) -> bool:
        return bool(made) and made[-1] == self._tokenizer.eos_token_id

    def _generate(
        self, ids: list[int], limit: int, body: dict[str, Any]
    ) -> tuple[list[int], list[torch.Tensor]]:
        """The new tokens, the end token among them, and the log-probabilities at each place."""
        hot = body.get("temperature", 1.0) > 0
        torch.manual_seed(body.get("seed", self._answers))
        with torch.no_grad(), quiet():
            found = self._model.generate(
                torch.tensor([ids]),
                attention_mask=torch.ones(1, len(ids)),
                max_new_tokens=limit,
                do_sample=hot,
                **({"temperature": body["temperature"], "top_k": 0} if hot else {}),
                pad_token_id=0,
                return_dict_in_generate=True,
                output_logits=True,
            )
        scores = [torch.log_softmax(step[0].double(), dim=-1) for step in found.logits]
        return found.sequences[0, len(ids) :].tolist(), scores

    def _tell(self, made: list[int], scores: list[torch.Tensor], form: str) -> dict[str, Any]:
        moved = self.jitter * (self._answers % 7 - 3) / 3
        rows: list[list[tuple[str, float]]] = []
        for token, step in zip(made, scores, strict=False):
            top = step.topk(5)
            names = [int(each) for each in top.indices]
            rows.append(
                [(self._tokenizer.decode([each]), float(step[each]) + moved) for each in names]
            )
            chosen = (self._tokenizer.decode([token]), float(step[token]) + moved)
            rows[-1].insert(0, chosen)
        if form == "chat":
            return {
                "content": [
                    {
                        "token": row[0][0],
                        "logprob": row[0][1],
                        "top_logprobs": [{"token": t, "logprob": p} for t, p in row[1:]],
                    }
                    for row in rows
                ]
            }
        return {
            "tokens": [row[0][0] for row in rows],
            "token_logprobs": [row[0][1] for row in rows],
            "top_logprobs": [dict(row[1:]) for row in rows],
        }
