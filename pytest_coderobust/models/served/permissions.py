"""Permissions of keys: the hosts that a variable's value may go to, and the key of a server.

A file of a project can be changed by whoever opens a pull request, so a server that it names gets
no key but those that the environment allows it: `CODEROBUST_KEYS=VAR:HOST[,VAR:HOST]`. A host may
have a port ("PROD_KEY:10.0.0.5:8000"); without one it stands for all of them. Where somebody typed
both the address and the variable, nothing more is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_coderobust.config.served import ServerEntry
from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.served.address import Address
from pytest_coderobust.models.served.secrets import Credentials, Secret

VARIABLE = "CODEROBUST_KEYS"
OPENAI = ("OPENAI_API_KEY", "https://api.openai.com")
"""The variable and the origin that belong together without being told."""

_FROM = "env:"


@dataclass(frozen=True, slots=True)
class KeyWish:
    """The key that a server is to get, and who says so.

    Attributes:
        where: begins the messages ("model 'prod': ").
        typed: the variable that somebody typed beside the command; "" for none.
        typed_address: the address was typed as well, and not read from a file.
    """

    where: str
    entry: ServerEntry
    addresses: Sequence[Address]
    typed: str = ""
    typed_address: bool = False

    @property
    def variable(self) -> str:
        """The variable that has the key; "" for a server without one."""
        if self.typed or self.entry.api_key_env:
            return self.typed or self.entry.api_key_env
        return OPENAI[0] if all(each.origin == OPENAI[1] for each in self.addresses) else ""


def read_credentials(wish: KeyWish, environment: Mapping[str, str]) -> Credentials:
    """Reads headers, parameters and key of a server, and checks that each may go there.

    Raises:
        UsageError: a variable is not set or not allowed for a host, a value cannot be sent, or a
            secret would go over plain http to another machine.
    """
    allowed = tuple(_read_allowed(environment.get(VARIABLE, "")))

    def fill(text: str) -> str | Secret:
        if not text.startswith(_FROM):
            return text
        return _take(text.removeprefix(_FROM), "", wish, allowed, environment)

    headers = {name: fill(text) for name, text in wish.entry.headers.items()}
    query = {name: fill(text) for name, text in wish.entry.query.items()}
    if wish.variable:
        if any(name.lower() == "authorization" for name in headers):
            raise UsageError(f"{wish.where}both a key and a header 'authorization'; leave one out")
        key = _take(wish.variable, "Bearer ", wish, allowed, environment)
        headers = {"Authorization": key, **headers}
    return Credentials(headers, query)


def _take(
    variable: str,
    prefix: str,
    wish: KeyWish,
    allowed: Sequence[tuple[str, str]],
    environment: Mapping[str, str],
) -> Secret:
    """Takes the value of a variable for a server."""
    for address in wish.addresses:
        typed = wish.typed_address and variable == wish.typed
        if not typed and not _is_allowed(variable, address, allowed):
            raise UsageError(
                f"{wish.where}the value of {variable} may not go to {address.place}; "
                f"{VARIABLE}={variable}:{address.place} allows it"
            )
        if address.scheme == "http" and not address.loopback:
            raise UsageError(
                f"{wish.where}the value of {variable} would go to {address.place} over plain http, "
                "where everybody on the way can read it; use https"
            )
    value = environment.get(variable, "").strip()
    if not value:
        raise UsageError(f"{wish.where}the variable {variable} is not set, which has the key")
    if not (value.isascii() and value.isprintable()):
        raise UsageError(
            f"{wish.where}the value of {variable} has characters that no header can have"
        )
    return Secret(variable, value, prefix)


def _is_allowed(variable: str, address: Address, allowed: Sequence[tuple[str, str]]) -> bool:
    if (variable, address.origin) == OPENAI:
        return True
    host = f"[{address.host}]" if ":" in address.host else address.host
    return any((variable, form) in allowed for form in (host, f"{host}:{address.port}"))


def _read_allowed(text: str) -> Iterator[tuple[str, str]]:
    """Reads pairs of variables and hosts.

    Raises:
        UsageError: a part is no such pair.
    """
    for place, part in enumerate(filter(None, map(str.strip, text.split(","))), start=1):
        variable, colon, host = part.partition(":")
        if not (variable and colon and host) or "/" in host:
            raise UsageError(
                f"{VARIABLE}: part {place} is not of the form VARIABLE:HOST, such as "
                "'PROD_KEY:models.example.org'"  # its text is not shown: it may be a key
            )
        yield variable, host.lower()
