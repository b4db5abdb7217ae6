"""A checkpoint that vLLM runs in this process, behind the protocol."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.metadata import version

from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.backend import KeyedBy, ServingTerms, Streamed
from pytest_coderobust.models.batches import steps_for
from pytest_coderobust.models.checkpoint import Checkpoint
from pytest_coderobust.models.devices import find_device
from pytest_coderobust.models.gathering import gather_streamed
from pytest_coderobust.models.hf import HFBackend
from pytest_coderobust.models.options import ModelOptions, ModelSpec
from pytest_coderobust.models.prompts import template_of
from pytest_coderobust.models.thought_tags import TokenDecoder
from pytest_coderobust.models.vllm.engine import (
    LoadedVllm,
    VllmAsking,
    VllmOrder,
    find_vllm_version,
)
from pytest_coderobust.models.vllm.identity import describe_identity
from pytest_coderobust.models.vllm.stream import VllmRow, VllmStream
from pytest_coderobust.records import (
    Completion,
    ModelIdentity,
    Row,
    Sampling,
    Variant,
)

MOST = 512
"""Rows in work where the user asks for no other number; vLLM lets those wait that it has no room
for."""

COLDEST = 0.01
"""The least temperature above 0 that vLLM takes as it is."""

SEEDS = 2**31 - 1
"""Number of seeds: all of them are ones to vLLM, to which -1 would mean none."""


class VllmBackend:
    """A checkpoint of the Hugging Face form, run by vLLM.

    Prompts, tokens, end tokens and texts are those of the checkpoint's own backend, so the two
    differ in arithmetic alone.

    Args:
        name: the model's name as the user wrote it.
        spec: the checkpoint and how it is asked, after the command line was applied.
    """

    keyed_by: KeyedBy = "prompt"
    batch_size = 1  # who shares a batch with a row is vLLM's affair

    def __init__(self, name: str, spec: ModelSpec, options: ModelOptions) -> None:
        self.name = name
        self.spec = spec
        self.options = options
        self._form = HFBackend(name, spec, options)
        self._loaded: LoadedVllm | None = None
        self._decoders: dict[tuple[str, ...], TokenDecoder] = {}

    @property
    def label(self) -> str:
        """Begins messages."""
        return f"model {self.name!r}"

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """Files of the model.

        Raises:
            UsageError: they are of a form that goes through transformers alone.
        """
        found = self._form.checkpoint
        if found.header is not None:
            raise UsageError(
                f"{self.label}: a GGUF file goes through transformers or a llama.cpp server, not "
                f"through vLLM: --model={found.place}"
            )
        if found.adapter is not None:
            raise UsageError(
                f"{self.label}: the folder holds an adapter alone; merge it into its base for "
                f"vLLM, or leave vLLM out: --model={self.spec.id}"
            )
        return found

    @cached_property
    def device(self) -> str:
        """Device that vLLM takes: the first one that is visible, or the processor.

        Raises:
            UsageError: another one is asked for.
        """
        found = "cpu" if "+cpu" in find_vllm_version() else find_device("auto")
        if self.options.device not in ("auto", found, found.partition(":")[0]):
            raise UsageError(
                f"{self.label}: vLLM here takes {found!r}, and device {self.options.device!r} is "
                "asked for; CUDA_VISIBLE_DEVICES chooses among several"
            )
        return found

    @property
    def exact(self) -> bool:
        """Whether an answer is the same whoever shares the batch."""
        # Builds for other devices that torch's CUDA does not see are none for the processor.
        built = any("+cpu" in each for each in (find_vllm_version(), version("torch")))
        plain = built and self.device == "cpu" and self._form.dtype == "float32"
        return plain or os.environ.get("VLLM_BATCH_INVARIANT", "0") not in ("", "0")

    @property
    def identity(self) -> ModelIdentity:
        return self._identity

    @cached_property
    def _identity(self) -> ModelIdentity:
        _ = self.checkpoint  # refuses forms that vLLM is not given
        return describe_identity(self._form, self.device, exact=self.exact, eager=self.eager)

    @property
    def eager(self) -> bool:
        """Whether the network's Python runs as it is: compiling it pays on an accelerator alone."""
        return self.device == "cpu"

    @property
    def terms(self) -> ServingTerms:
        """The number of rows in work, and the bytes around a prompt."""
        frame = len(template_of(self.spec).replace("{prompt}", "").encode())
        return ServingTerms(concurrency=self.options.concurrency or MOST, frame=frame, here=True)

    @cached_property
    def _ends(self) -> tuple[int, ...]:
        from pytest_coderobust.models.loaded_model import read_end_tokens

        return read_end_tokens(self.name, self.checkpoint, self._form.tokenizer, self.options)

    def unavailable(self, variant: Variant, sampling: Sampling) -> str:
        if 0 < sampling.temperature < COLDEST:
            return f"temperature {sampling.temperature:g}, which vLLM would raise to {COLDEST:g}"
        return self._form.unavailable(variant, sampling)

    def prompt_length(self, prompt: str) -> int:
        return self._form.prompt_length(prompt)

    def count_tokens(self, prompt: str, language: str) -> int:
        """Counts a prompt's tokens."""
        return len(self._form.encode(prompt, language))

    def load(self) -> LoadedVllm:
        """Returns vLLM with the checkpoint; loads it when it is first called.

        Raises:
            ModelError: it cannot be loaded.
        """
        if self._loaded is None:
            checkpoint = self.checkpoint
            order = VllmOrder(
                checkpoint.folder,
                checkpoint.tokenizer,
                self._form.dtype,
                self.eager,
                self.options.trust_remote_code,
            )
            self._loaded = LoadedVllm(order, self.label)
        return self._loaded

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:
        return gather_streamed(self.stream(iter(rows), sampling), rows)

    def stream(self, rows: Iterator[Row | None], sampling: Sampling) -> Iterator[Streamed | None]:
        """Answers rows as they finish; see `Streaming`."""
        most = self.options.concurrency or MOST
        run = VllmStream(
            rows, self.load(), lambda row: self._prepare(row, sampling), most, self.label
        )
        try:
            yield from run.run()
        finally:
            if shares_device():
                self.close()

    def close(self) -> None:
        if self._loaded is not None:
            loaded, self._loaded = self._loaded, None
            loaded.close()

    def _prepare(self, row: Row, sampling: Sampling) -> VllmRow:
        from pytest_coderobust.models.completion_text import CompletionTexts

        prompt = self._form.make_prompt(row)
        texts = CompletionTexts(self._find_decoder(row.tags), self._ends, [prompt])
        asking = VllmAsking(
            max_tokens=steps_for(prompt.ids, self._form.window, sampling, self.label),
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            stop=sampling.stop,
            seed=None if sampling.greedy else row.noise % SEEDS,
            ends=self._ends,
        )
        return VllmRow(
            row, prompt.ids, asking, lambda ids: texts.completion(0, tuple(ids), sampling)
        )

    def _find_decoder(self, tags: tuple[str, ...]) -> TokenDecoder:
        from pytest_coderobust.models.thought_tags import make_decoder

        if tags not in self._decoders:
            self._decoders[tags] = make_decoder(self._form.tokenizer, tags)
        return self._decoders[tags]


def shares_device() -> bool:
    """Whether other processes of this test run may want the accelerator next.

    pytest-xdist says so to its workers. An engine takes the most of a device's memory, so it goes
    when the worker's stream ends, and the next worker that holds the lease loads its own.
    """
    return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1") or 1) > 1
