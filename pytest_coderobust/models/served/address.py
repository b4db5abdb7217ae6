"""Addresses of servers: taken apart, and refused where no model may be asked."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from pytest_coderobust.errors import UsageError

_PORTS = {"http": 80, "https": 443}

_METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog", "metadata"})
_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        ("169.254.169.254", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254"),
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Address:
    """A server's address without its last slash.

    Attributes:
        host: in lower case, an IPv6 address without brackets.
        path: what all paths of its protocol begin with ("/v1").
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def place(self) -> str:
        """Host and port as people write them; the protocol's own port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port, which a key belongs to."""
        return f"{self.scheme}://{self.place}"

    @property
    def base(self) -> str:
        """The whole address."""
        return self.origin + self.path

    @property
    def loopback(self) -> bool:
        """Whether it is this machine, so that nothing leaves it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_address(text: str, where: str) -> Address:
    """Takes an address apart; no name is resolved.

    Args:
        where: begins the messages ("model 'prod': ").

    Raises:
        UsageError: it is no address of http or https, holds credentials, or is one of those that
            hold a machine's own secrets.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        parts, host, port = None, "", None
    if parts is not None and ("@" in parts.netloc):
        raise UsageError(
            f"{where}the address of {host or 'a server'} holds credentials; name the variable that "
            "has the key in api_key_env, or a header in headers"
        )
    if parts is None or parts.scheme not in _PORTS or not host or not _plain(host):
        raise UsageError(
            f"{where}{text!r} is no address of a server; they look like 'http://127.0.0.1:8000/v1'"
        )
    if parts.query or parts.fragment:
        raise UsageError(
            f"{where}the address of {host} has a '?' or a second '#' in it; parameters belong "
            "into query"
        )
    found = Address(parts.scheme, host, port or _PORTS[parts.scheme], parts.path.rstrip("/"))
    check_host(found.host, where)
    return found


def check_host(host: str, where: str) -> None:
    """Refuses a host, or an address that it was resolved to.

    Raises:
        UsageError: it is link-local, or one where clouds keep a machine's credentials.
    """
    if host in _METADATA_NAMES or is_forbidden(host):
        raise UsageError(
            f"{where}{host} is a link-local or metadata address, where a machine's own credentials "
            "are kept; no model is asked there"
        )


def is_forbidden(host: str) -> bool:
    """Whether a numeric address is link-local or a cloud's; False for a name."""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        elif found in _NAT64:
            found = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found.is_link_local or found in _METADATA


def _plain(host: str) -> bool:
    """Whether a host can be written into a request: a name, or numbers."""
    return re.fullmatch(r"[\w.-]+|[0-9a-fA-F:.]+(?:%[\w.-]+)?", host, re.ASCII) is not None
