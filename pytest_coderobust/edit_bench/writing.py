"""Texts that a model writes behind prompts, as CLMEEval has them written.

Greedy and with a fixed number of tokens, so the model is never asked to stop; special tokens stay
in the text, and rows that ended are filled with the end token, which spoils an exact match.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.answer_texts import LANGUAGE, fit_answer, read_ids
from pytest_coderobust.editors.protocol import Weighted
from pytest_coderobust.errors import ModelError
from pytest_coderobust.records.knowledge import KnowledgeCase

TOP_K = 5
"""Tokens that sampling chooses from, as in the reference."""


class TextWriter:
    """Writer of texts with a model as it is now, edits included."""

    def __init__(self, model: Weighted) -> None:
        self._access = Access(model)
        self._loaded = self._access.loaded

    def greedy(self, prompts: Sequence[str], steps: int) -> list[str]:
        """Continues prompts greedily by so many tokens, special tokens included."""
        return self._write(prompts, steps, keep=True, do_sample=False)

    def natural(self, prompts: Sequence[str], most: int) -> list[str]:
        """Continues prompts greedily until the model ends them; special tokens are left out."""
        return self._write(prompts, most, keep=False, do_sample=False)

    def sample(self, prompts: Sequence[str], steps: int, seed: int) -> list[str]:
        """Samples continuations of so many tokens among the likeliest five."""
        devices = [self._access.device] if self._access.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(seed)
            return self._write(
                prompts, steps, keep=True, do_sample=True, top_k=TOP_K, temperature=1.0, top_p=1.0
            )

    def count(self, prompt: str) -> int:
        """Counts the tokens of a prompt."""
        return len(self._access.backend.encode(prompt, LANGUAGE))

    @property
    def window(self) -> int | None:
        """Tokens that prompt and continuation may have together; None is no limit."""
        return self._loaded.window

    def fit_answer(self, case: KnowledgeCase) -> tuple[str, int]:
        """Finds the text whose tokens read as a case's answer behind its prompt, and counts them.

        It is the answer, or the answer without its first blank where the tokenizer writes one by
        itself before a text.
        """
        text, ids = fit_answer(self._access, case.prompt, case.answer)
        return text, len(ids)

    def _write(self, prompts: Sequence[str], steps: int, *, keep: bool, **how: Any) -> list[str]:
        access = self._access
        rows = [access.backend.encode(prompt, LANGUAGE) for prompt in prompts]
        batch = access.batch(rows)
        end = self._loaded.eos[0] if self._loaded.eos else self._loaded.pad
        with torch.no_grad(), access.model_threads():
            try:
                output = access.model.generate(
                    input_ids=batch.ids,
                    attention_mask=batch.mask,
                    max_new_tokens=steps,
                    pad_token_id=end,
                    num_beams=1,
                    **how,
                )
            except RuntimeError as error:
                raise ModelError(f"model {access.name!r} cannot be run: {error}") from error
        new = output[:, batch.ids.shape[1] :].tolist()
        return [read_ids(access, row, keep=keep) for row in new]
