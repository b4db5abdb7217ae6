"""Introduction to a server: the handshake, with what an entry says about its model."""

from __future__ import annotations

from typing import Protocol

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.served.agreement import Agreement
from pytest_coderobust.models.served.handshake import (
    Handshake,
    HandshakeWish,
    check_truncation,
    shake_hands,
)
from pytest_coderobust.models.served.permissions import OPENAI
from pytest_coderobust.models.served.server import Server
from pytest_coderobust.models.served.transport import Transport, TransportError


class Introducer(Protocol):
    """A way to get to know the servers of a model."""

    def introduce(self, transport: Transport, server: Server) -> Agreement:
        """Finds out what one of its servers is, and which requests it takes.

        Raises:
            ModelError: it is not there, or cannot be measured.
        """
        ...

    def check_length(
        self, transport: Transport, server: Server, agreed: Agreement, text: str
    ) -> None:
        """Refuses a server that silently cuts a prompt of this length.

        Raises:
            ModelError: it does.
        """
        ...


class HandshakeIntroducer:
    """Introduction by a handshake of a few small requests."""

    def introduce(self, transport: Transport, server: Server) -> Agreement:
        try:
            return shake_hands(transport, make_wish(server))
        except TransportError as error:
            raise ModelError(f"{server.label}: {error}") from None

    def check_length(
        self, transport: Transport, server: Server, agreed: Agreement, text: str
    ) -> None:
        if not isinstance(agreed, Handshake) or agreed.extra_tokens is not None:
            return  # every answer's count is compared with the tokenizer's
        try:
            check_truncation(transport, agreed, make_wish(server), text)
        except TransportError as error:
            raise ModelError(f"{server.label}: {error}") from None


def make_wish(server: Server) -> HandshakeWish:
    """Tells the handshake what is known of a model."""
    entry, tokens = server.entry, server.tokens
    return HandshakeWish(
        label=server.name,
        model=entry.id,
        api=entry.api or "completions",
        hosted=any(each.origin == OPENAI[1] for each in server.addresses),
        alias=entry.alias,
        window=entry.window,
        fields=entry.sampling_fields,
        encode=None if tokens is None else tokens.encode_text,
        bos=None if tokens is None else tokens.bos,
    )
