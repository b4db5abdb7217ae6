"""A backend that hands everything to another one, for wrappers that change a part of it."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_coderobust.models.backend import Backend, KeyedBy
from pytest_coderobust.records import Completion, ModelIdentity, Row, Sampling, Variant


class ForwardingBackend:
    """Forwards every question to the backend below; a subclass overrides what differs.

    Closing it leaves the backend below open, because the opener of that one closes it.
    """

    def __init__(self, below: Backend) -> None:
        self._below = below

    @property
    def identity(self) -> ModelIdentity:
        return self._below.identity

    @property
    def batch_size(self) -> int:
        return self._below.batch_size

    @property
    def keyed_by(self) -> KeyedBy:
        return self._below.keyed_by

    def unavailable(self, variant: Variant, sampling: Sampling) -> str:
        return self._below.unavailable(variant, sampling)

    def prompt_length(self, prompt: str) -> int:
        return self._below.prompt_length(prompt)

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:
        return self._below.generate(rows, sampling)

    def close(self) -> None:
        """Leaves the backend below open."""
