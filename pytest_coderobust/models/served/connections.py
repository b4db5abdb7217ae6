"""Connections to one server: pools of them, through a proxy where there is one, and their end."""

from __future__ import annotations

import socket
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import parse_url

from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.served.address import Address, check_host
from pytest_coderobust.models.served.live import LiveConnections
from pytest_coderobust.models.served.secrets import MaskedText

CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class ServerPool:
    """Kept connections to a server.

    Attributes:
        connections: urllib3's pool.
        target: what stands before a path in a request: "", or the origin where a proxy wants it.
    """

    connections: HTTPConnectionPool
    target: str


def open_pool(
    address: Address, most: int, live: LiveConnections, ca_bundle: Path | None = None
) -> ServerPool:
    """Makes a pool; connects nowhere yet.

    Args:
        most: connections that are kept.
        live: gets the connections that are opened.

    Raises:
        UsageError: the certificates or the proxy cannot be used.
    """
    ways: dict[str, Any] = {
        "maxsize": most,
        "retries": False,
    }
    if address.scheme == "https" and ca_bundle is not None:
        ways["ca_certs"] = str(ca_bundle)
    if proxy := find_proxy(address):
        return ServerPool(_open_proxied(address, proxy, ways), _absolute(address))
    kind = HTTPSConnectionPool if address.scheme == "https" else HTTPConnectionPool
    pool = kind(address.host, address.port, **ways)
    pool.ConnectionCls = _guard(address.scheme, live)
    return ServerPool(pool, "")


def find_proxy(address: Address) -> str:
    """Finds the proxy that the environment names for a server; "" for none, or on this machine."""
    if address.loopback:
        return ""
    host = f"[{address.host}]" if ":" in address.host else address.host
    if urllib.request.proxy_bypass(f"{host}:{address.port}"):
        return ""
    proxies = urllib.request.getproxies()
    found = proxies.get(address.scheme) or proxies.get("all") or ""
    return found if "://" in found or not found else f"http://{found}"


def check_resolved(address: Address, where: str) -> None:
    """Refuses a name that leads to a link-local or metadata address; one that leads nowhere passes.

    Raises:
        UsageError: it does.
    """
    if find_proxy(address):
        return  # the proxy resolves it
    for found in _resolve(address.host, address.port):
        check_host(found, where)


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(each[4][0]) for each in found]


def _guard(scheme: str, live: LiveConnections) -> Any:
    """Makes the class of a pool's connections, which look where they lead before they send."""
    base: type[HTTPConnection] = HTTPSConnection if scheme == "https" else HTTPConnection

    class GuardedConnection(base):  # type: ignore[valid-type, misc]
        """A connection that goes to no forbidden address, also if a name has moved meanwhile."""

        def connect(self) -> None:
            for found in _resolve(self.host, self.port or 0):
                check_host(found, "")
            super().connect()
            check_peer(self.sock)
            live.add(self)

    return GuardedConnection


def check_peer(open_socket: Any) -> None:
    """Refuses a socket that leads to a link-local or metadata address, and closes it.

    Raises:
        UsageError: it does.
    """
    try:
        check_host(str(open_socket.getpeername()[0]), "")
    except UsageError:
        open_socket.close()
        raise


def _open_proxied(address: Address, proxy: str, ways: dict[str, Any]) -> HTTPConnectionPool:
    try:
        parts = parse_url(proxy)
        headers = urllib3.make_headers(proxy_basic_auth=parts.auth) if parts.auth else {}
        hidden = {name: MaskedText(value) for name, value in headers.items()}
        bare = parts._replace(auth=None).url
        manager = urllib3.ProxyManager(bare, proxy_headers=hidden, **ways)
        return manager.connection_from_url(address.origin)
    except (urllib3.exceptions.HTTPError, ValueError):
        # The text of a proxy's address may have a password in it.
        raise UsageError(
            f"the proxy that the environment names for {address.scheme} cannot be used; it must be "
            "'http://HOST:PORT' or 'https://HOST:PORT'"
        ) from None


def _absolute(address: Address) -> str:
    return address.origin if address.scheme == "http" else ""
