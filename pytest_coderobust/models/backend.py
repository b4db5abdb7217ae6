"""Protocols of a model: rows go in, one completion for each comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeGuard, cast, runtime_checkable

from pytest_coderobust.records import (
    Completion,
    ModelIdentity,
    Row,
    Sampling,
    Tariff,
    Usage,
    Variant,
)

if TYPE_CHECKING:
    from pytest_coderobust.ledger import Ledger
    from pytest_coderobust.models.loaded_model import LoadedModel
    from pytest_coderobust.models.metering import Meter

KeyedBy = Literal["prompt", "variant"]


class Backend(Protocol):
    """A model, a recording or an oracle.

    A backend is built cheap and loads on the first call of `generate`; `identity` may read
    files (weights are hashed) but needs no accelerator.
    """

    @property
    def identity(self) -> ModelIdentity:
        """Name and digest of the model; part of every completion's key."""
        ...

    @property
    def batch_size(self) -> int:
        """Number of rows in a batch; the engine cuts batches from the plan by it."""
        ...

    @property
    def keyed_by(self) -> KeyedBy:
        """Says whether answers depend on the prompt alone or on task and cell ("variant")."""
        ...

    def unavailable(self, variant: Variant, sampling: Sampling) -> str:
        """Says why this variant cannot be answered ("not recorded"), or "" when it can."""
        ...

    def prompt_length(self, prompt: str) -> int:
        """Measures a prompt cheaply, to sort a window by (characters, or tokens when known)."""
        ...

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:
        """Answers every row, in order.

        Raises:
            ModelError: the model cannot be loaded or run.
        """
        ...

    def close(self) -> None:
        """Frees what the backend holds; a later `generate` loads again."""
        ...


@dataclass(frozen=True, slots=True)
class Streamed:
    """A row that was answered, and its price.

    A row that the server refused for good has a completion, too: its text is "" and its finish
    "refused".

    Attributes:
        told: why the server refused; "" for an answer.
    """

    row: Row
    completion: Completion
    usage: Usage
    told: str = ""


@runtime_checkable
class Streaming(Backend, Protocol):
    """A backend whose rows are asked side by side, each for itself: a served model."""

    def stream(self, rows: Iterator[Row | None], sampling: Sampling) -> Iterator[Streamed | None]:
        """Answers rows as they finish, in any order, all in the caller's thread.

        It may give None now and then (twice a second is good) while no answer comes, so that the
        caller can do something else. Closing it gives up what is on its way.

        Args:
            rows: is asked for the next row whenever another one may be sent. None means "not
                now": it is asked again after the next answer, and never gives None while nothing
                is on its way. An error that it raises ends the stream.

        Raises:
            ModelError: the server is gone, or refuses to answer at all; what was on its way is
                given up.
        """
        ...


@dataclass(frozen=True, slots=True)
class ServingTerms:
    """The terms on which a served model is asked, as the user states them.

    Attributes:
        place: where it is served, for people.
        tariff: the user's own prices; None where none are stated.
        concurrency: rows that may be on their way at the same time; 0 where that is found while
            asking.
        frame: bytes that the template puts around a prompt.
        here: it runs in this process, so its identity is known without asking anybody.
    """

    place: str = ""
    tariff: Tariff | None = None
    concurrency: int = 0
    frame: int = 0
    here: bool = False


class OnTerms(Streaming, Protocol):
    """A streaming backend that says on which terms, and counts tokens before it asks."""

    @property
    def terms(self) -> ServingTerms:
        """The terms, known without asking."""
        ...

    def count_tokens(self, prompt: str, language: str) -> int | None:
        """Counts a prompt's tokens as the server does; None where no tokenizer is known."""
        ...


def find_terms(backend: Backend) -> ServingTerms:
    """Finds the terms of a backend; one that states none has the empty ones."""
    return getattr(backend, "terms", ServingTerms())


def count_tokens(backend: Backend, prompt: str, language: str) -> int | None:
    """Counts a prompt's tokens; None where the backend cannot."""
    count: Callable[[str, str], int | None] | None = getattr(backend, "count_tokens", None)
    return count(prompt, language) if count is not None else None


def is_streaming(backend: Backend) -> TypeGuard[Streaming]:
    """Says whether rows of a backend are asked side by side.

    `isinstance` would read every property, and the identity of a checkpoint hashes its weights.
    """
    return callable(getattr(type(backend), "stream", None))


IdentityTier = Literal["observed", "stated", "verified"]
"""Levels of knowledge about a served model: nobody says which weights it has, somebody says so,
and they answer as the same weights do here."""

OwnPrompt = tuple[str, str]
"""A prompt of a suite and the language of its code."""


@dataclass(frozen=True, slots=True)
class IdentityDemand:
    """The user's demand on the identity of a served model.

    Attributes:
        tier: the least that must be known.
        renewed: when the session began, if its model is to be taken for a new one; None: it is not.
    """

    tier: IdentityTier = "observed"
    renewed: float | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """The outcome of a look at a model whose weights lie elsewhere.

    Attributes:
        same: its canaries were answered as they were when it was first met.
        told: where they were not: the canary, both texts, and what to do.
    """

    same: bool
    told: str = ""


class Guarded(Backend, Protocol):
    """A backend whose weights lie elsewhere: another model may answer behind the same address."""

    def remember(
        self, memory: Callable[[], Ledger], demand: IdentityDemand, meter: Meter | None = None
    ) -> None:
        """Says where contacts with models are kept, and what is demanded; nobody is asked yet.

        The model is met when its identity is first read: one that the ledger does not know is
        asked its canaries, under the lease. Reading it then raises ModelError where the server is
        gone, or refutes what was stated, and UsageError where less is known than is demanded.

        Args:
            meter: is asked before each request of the handshake, the canaries and their kin.
        """
        ...

    def look(self, own: Sequence[OwnPrompt] = ()) -> Look:
        """Asks the canaries, one after the other; nothing else may be on its way meanwhile.

        The caller must hold the ledger's lease.

        Args:
            own: prompts of the suites in work, which are canaries, too.

        Raises:
            ModelError: the server is gone.
        """
        ...


def find_guarded(backend: Backend) -> Guarded | None:
    """Returns the backend if it is a guarded one; reads none of its properties."""
    return cast("Guarded", backend) if hasattr(type(backend), "look") else None


class Weighted(Backend, Protocol):
    """A backend that has weights to edit: `HFBackend`, or the edited one on top of it."""

    @property
    def checkpoint_digest(self) -> str:
        """Digest of weights (edits included), tokenizer and configuration, for saved edits."""
        ...

    @property
    def depth(self) -> int | None:
        """The number of its layers, read without loading it; None where that is not known."""
        ...

    def load(self) -> LoadedModel:
        """Returns the model in memory; loads it when it is first called."""
        ...

    def encode(self, prompt: str, language: str) -> list[int]:
        """Turns a prompt into the token ids that the network gets."""
        ...

    def answer(
        self, rows: Sequence[Row], sampling: Sampling, loaded: LoadedModel
    ) -> Sequence[Completion]:
        """Answers with the weights in `loaded`, whatever edits are in force."""
        ...

    def model_threads(self, loaded: LoadedModel) -> AbstractContextManager[None]:
        """Context in which the network runs: torch's threads are set, its messages are silent."""
        ...
