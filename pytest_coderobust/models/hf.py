"""A Hugging Face causal language model behind the protocol."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.adapters import check_base
from pytest_coderobust.models.backend import KeyedBy
from pytest_coderobust.models.batches import Batches, free_memory, steps_for
from pytest_coderobust.models.checkpoint import Checkpoint, find_checkpoint, read_size, stored_dtype
from pytest_coderobust.models.devices import device_kind, find_device
from pytest_coderobust.models.fingerprint import (
    adapter_digest,
    checkpoint_digest,
    weights_digest,
)
from pytest_coderobust.models.names import describe_origin
from pytest_coderobust.models.options import ROWS, ROWS_TINY, ModelOptions, ModelSpec
from pytest_coderobust.models.packing import packing_facts
from pytest_coderobust.models.prompts import render, template_of, tokenize
from pytest_coderobust.models.quiet import quiet
from pytest_coderobust.models.thought_tags import find_opened, list_tags
from pytest_coderobust.models.threads import GenerationThreads, sensible_threads, torch_threads
from pytest_coderobust.models.watch import GenerationWatch, WatchedPart, find_watch
from pytest_coderobust.records import (
    Completion,
    ModelIdentity,
    Row,
    Sampling,
    Variant,
    digest,
)

if TYPE_CHECKING:
    from pytest_coderobust.models.completion_text import Prompt
    from pytest_coderobust.models.loaded_model import LoadedModel

DECODING = 2
"""Raised when batches are decoded in another way: equal weights then round scores differently."""
TINY = 32 * 2**20
"""Bytes of weights below which a batch has more rows, since a row then costs little."""
_SPECIAL = 64
"""Tokens that a tokenizer may add around a text of its own."""


class HFBackend:
    """A checkpoint of transformers' AutoModelForCausalLM.

    Args:
        name: the model's name as the user wrote it.
        spec: the checkpoint and how it is asked, after the command line was applied.
    """

    keyed_by: KeyedBy = "prompt"

    def __init__(self, name: str, spec: ModelSpec, options: ModelOptions) -> None:
        self.name = name
        self.spec = spec
        self.options = options
        self._loaded: LoadedModel | None = None
        self._chosen_threads: GenerationThreads | None = None

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """Files of the model; downloaded when they are not on disk.

        Raises:
            ModelError: they cannot be had.
        """
        return find_checkpoint(self.name, self.spec, self.options)

    @property
    def batch_size(self) -> int:
        return self.options.batch_size or self._rows

    @cached_property
    def _rows(self) -> int:
        """Number of rows in a batch where the user asked for none."""
        size = sum(file.stat().st_size for file in self.checkpoint.weights)
        return ROWS_TINY if size < TINY else ROWS

    @cached_property
    def _batches(self) -> Batches:
        return Batches(self.batch_size)

    @cached_property
    def dtype(self) -> str:
        """Dtype that the weights are computed in, as torch names it."""
        return stored_dtype(self.checkpoint) if self.spec.dtype == "auto" else self.spec.dtype

    @cached_property
    def device(self) -> str:
        """Device that the model runs on: "cpu", "cuda:0", or the name of a device map.

        Raises:
            ModelError: no such device here.
        """
        return find_device(self.options.device)

    @property
    def identity(self) -> ModelIdentity:
        return self._identity

    @cached_property
    def checkpoint_digest(self) -> str:
        """Digest of weights, tokenizer and configuration; device and dtype are not part of it."""
        return checkpoint_digest(self.checkpoint)

    @cached_property
    def _identity(self) -> ModelIdentity:
        kind = device_kind(self.device)
        versions = {package: version(package) for package in ("torch", "transformers")}
        weights = weights_digest(self.checkpoint)
        adapter = self.checkpoint.adapter
        if adapter is not None:
            check_base(self.name, adapter, weights)
        template = template_of(self.spec)
        packing = packing_facts(self.checkpoint)
        parts = [self.dtype, kind, *versions.values(), self.spec.chat, template, *packing.items()]
        # Left out where there are none, so that answers of all other models stay valid.
        tags = list_tags(self.checkpoint, template, chat=self.spec.chat)
        facts = {
            **describe_origin(self.name, self.spec),
            "weights": weights[:12],
            "adapter": "" if adapter is None else adapter_digest(adapter)[:12],
            "dtype": self.dtype,
            "device": kind,
            "prompt": "chat" if self.spec.chat else "continuation",
            **versions,
            **packing,
        }
        return ModelIdentity(
            self.name,
            digest("hf", DECODING, self.checkpoint_digest, parts, *([tags] if tags else [])),
            {key: value for key, value in facts.items() if value},
        )

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer; reads no weights."""
        if self._loaded is not None:
            return self._loaded.tokenizer
        with quiet():
            from pytest_coderobust.models.loaded_model import load_tokenizer
        return load_tokenizer(self.name, self.checkpoint, self.options)

    def load(self) -> LoadedModel:
        """Returns the model in memory; loads it when it is first called.

        Raises:
            ModelError: it cannot be loaded.
        """
        if self._loaded is None:
            with quiet():
                from pytest_coderobust.models.loaded_model import load
            self._loaded = load(self.name, self.checkpoint, self.dtype, self.device, self.options)
        return self._loaded

    def unavailable(self, variant: Variant, sampling: Sampling) -> str:  # noqa: ARG002
        window = self.window
        text = template_of(self.spec) + variant.prompt
        # A token holds a byte or more, so most prompts need no tokenizer to be known to fit.
        if window is None or len(text.encode("utf-8", "surrogatepass")) + _SPECIAL < window:
            return ""
        length = len(self.encode(variant.prompt, variant.task.language))
        return "" if length < window else f"prompt of {length} tokens, window of {window}"

    def prompt_length(self, prompt: str) -> int:
        return len(prompt)

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:
        loaded = self.load()
        if loaded.edits:
            raise ModelError(
                f"model {self.name!r} is edited now, so it cannot answer for itself; ask the "
                "edited model, or leave the edit first"
            )
        return self.answer(rows, sampling, loaded)

    def answer(
        self, rows: Sequence[Row], sampling: Sampling, loaded: LoadedModel
    ) -> Sequence[Completion]:
        """Answers with the weights in `loaded`, edited or not; only an edited model calls this."""
        watch = find_watch()
        with self._threads(loaded).running(loaded.model, watch), quiet():
            try:
                return self._generate(rows, sampling, loaded, watch)
            except (RuntimeError, ArithmeticError) as error:
                raise ModelError(f"model {self.name!r} cannot be run: {error}") from error

    @contextmanager
    def model_threads(self, loaded: LoadedModel) -> Generator[None]:
        """Context in which an editor runs the network: as many threads each time, and silence."""
        threads = sensible_threads(self.options.threads, loaded.parameters, self.device)
        with torch_threads(threads), quiet():
            yield

    def _threads(self, loaded: LoadedModel) -> GenerationThreads:
        """The threads of generation, with all that was timed so far."""
        if self._chosen_threads is None:
            self._chosen_threads = GenerationThreads(
                self.options.threads, loaded.parameters, self.device, recorded=self.spec.threads
            )
        return self._chosen_threads

    def close(self) -> None:
        if self._loaded is not None:
            self._loaded = None
            self.__dict__.pop("tokenizer", None)
            free_memory()

    def _generate(
        self, rows: Sequence[Row], sampling: Sampling, loaded: LoadedModel, watch: GenerationWatch
    ) -> list[Completion]:
        from pytest_coderobust.models.decoding import decode_batch

        prompts = [self.make_prompt(row) for row in rows]
        # Rows of a batch must be allowed the same number of tokens: one that is past its end goes
        # on in the model, and its position must not leave the window.
        groups: dict[int, list[int]] = {}
        for place, prompt in enumerate(prompts):
            steps = steps_for(prompt.ids, loaded.window, sampling, f"model {self.name!r}")
            groups.setdefault(steps, []).append(place)
        answers: dict[int, Completion] = {}
        for steps, places in groups.items():

            def answer(batch: Sequence[int], steps: int = steps) -> Sequence[Completion]:
                own = [prompts[place] for place in batch]
                return decode_batch(loaded, own, sampling, steps, WatchedPart(watch, batch))

            found = self._batches.run(places, answer)
            answers.update(zip(places, found, strict=True))
        return [answers[place] for place in range(len(rows))]

    def make_prompt(self, row: Row) -> Prompt:
        """Makes what the network gets of a row."""
        from pytest_coderobust.models.completion_text import Prompt

        prompt, language = row.variant.prompt, row.variant.task.language
        rendered = render(prompt, language, self.spec, self.tokenizer)
        ids = tuple(tokenize(rendered, self.spec, self.tokenizer))
        return Prompt(ids, row.noise, row.tags, find_opened(rendered, prompt, row.tags))

    def encode(self, prompt: str, language: str) -> list[int]:
        """Turns a prompt into token ids, with its template and special tokens."""
        rendered = render(prompt, language, self.spec, self.tokenizer)
        return tokenize(rendered, self.spec, self.tokenizer)

    @property
    def depth(self) -> int | None:
        return read_size(self.checkpoint, "num_hidden_layers", "n_layer")

    @cached_property
    def window(self) -> int | None:
        """Tokens that prompt and completion may have together; None is no limit."""
        return read_size(self.checkpoint, "max_position_embeddings", "n_positions")
