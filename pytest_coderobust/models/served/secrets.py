"""Secrets of a server: keys from the environment, which no report, message or trace shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import quote, quote_plus

MASK = "***"

_SHORTEST_IN_MESSAGES = 4
"""Characters below which a secret is left in messages: it would hide every letter of them."""

_SHORTEST_IN_ANSWERS = 16
"""Characters below which a secret is left in answers: local servers take keys such as "EMPTY"."""


class Secret:
    """A value of the environment; neither its repr nor a pickle nor an attribute has it.

    Args:
        name: where it comes from, which may be shown.
        value: must be printable ASCII, as headers are.
        prefix: what stands before it in a header ("Bearer ").
    """

    __slots__ = ("_reveal", "name", "prefix")

    def __init__(self, name: str, value: str, prefix: str = "") -> None:
        self.name = name
        self.prefix = prefix
        # A closure: an attribute's value would be in dumps of objects that show their slots.
        self._reveal: Callable[[], str] = lambda: value

    def reveal(self) -> str:
        """The value itself; for the request that is about to leave alone."""
        return self._reveal()

    def __repr__(self) -> str:
        return f"<secret of {self.name}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


class MaskedText(str):
    """A text that a trace with local variables shows as stars; as a string it is itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(MASK)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Headers and parameters that go with every request to a server.

    Attributes:
        others: further secrets that messages could repeat: a proxy's password.
    """

    headers: Mapping[str, str | Secret] = field(default_factory=dict[str, "str | Secret"])
    query: Mapping[str, str | Secret] = field(default_factory=dict[str, "str | Secret"])
    others: tuple[Secret, ...] = ()

    @property
    def secrets(self) -> tuple[Secret, ...]:
        found = (*self.headers.values(), *self.query.values(), *self.others)
        return tuple(each for each in found if isinstance(each, Secret))

    def make_headers(self) -> dict[str, str]:
        """Headers as they are sent; their repr has no secret."""
        return {
            name: MaskedText(each.prefix + each.reveal()) if isinstance(each, Secret) else each
            for name, each in self.headers.items()
        }

    def make_query(self) -> str:
        """The parameters as they are sent, with their question mark; "" without any."""
        words = [
            f"{quote_plus(name)}={quote_plus(each.reveal() if isinstance(each, Secret) else each)}"
            for name, each in self.query.items()
        ]
        return MaskedText("?" + "&".join(words)) if words else ""

    def redact(self, text: str) -> str:
        """Takes the secrets out of a message, in every spelling that they may have there."""
        return _hide(text, self.secrets, _SHORTEST_IN_MESSAGES)

    def redact_answer(self, text: str) -> str:
        """Takes the secrets out of an answer of the server, which may repeat what it was sent."""
        return _hide(text, self.secrets, _SHORTEST_IN_ANSWERS)


def _hide(text: str, secrets: tuple[Secret, ...], shortest: int) -> str:
    for secret in secrets:
        value = secret.reveal()
        if len(value) < shortest:
            continue
        spellings = {value, quote(value), quote(value, safe=""), quote_plus(value)}
        spellings |= {json.dumps(value)[1:-1], repr(value)[1:-1]}
        for spelling in sorted(spellings, key=len, reverse=True):
            text = text.replace(spelling, MASK)
    return text
