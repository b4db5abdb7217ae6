"""Server of a model as it was asked for: addresses, entry, key and the command line's options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_coderobust.config.served import ServerEntry
from pytest_coderobust.models.options import ModelOptions, ModelSpec
from pytest_coderobust.models.served.address import Address
from pytest_coderobust.models.served.secrets import Credentials
from pytest_coderobust.models.served.tokens import PromptTokens


@dataclass(frozen=True, slots=True)
class Server:
    """A served model as it was asked for.

    Attributes:
        name: the model as the user wrote it.
        addresses: the servers that serve it; each gets rows.
        spec: template and chat, after the command line was applied.
        options: the command line; its concurrency and patience count here.
    """

    name: str
    addresses: tuple[Address, ...]
    entry: ServerEntry
    spec: ModelSpec
    options: ModelOptions
    credentials: Credentials

    @property
    def label(self) -> str:
        """The beginning of messages about it."""
        return f"model {self.name!r}"

    @property
    def tokens(self) -> PromptTokens | None:
        """Its tokenizer; None where none is known."""
        if not self.entry.tokenizer:
            return None
        return PromptTokens(self.name, Path(self.entry.tokenizer), self.spec, self.options)
