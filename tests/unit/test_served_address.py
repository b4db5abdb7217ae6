"""Addresses of servers: taken apart, and refused where a machine's own credentials lie."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripted_server import serve
from support.served_models import completed, open_toy

from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.registry import check_model_name
from pytest_coderobust.models.served.address import is_forbidden, parse_address
from pytest_coderobust.models.served.connections import check_peer
from pytest_coderobust.models.served.transport import PooledTransport

W = "model 'm': "


@pytest.mark.parametrize(
    ("text", "base", "place"),
    [
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1", "127.0.0.1:8000"),
        ("https://API.OpenAI.com/v1/", "https://api.openai.com/v1", "api.openai.com"),
        ("https://api.openai.com:443/v1", "https://api.openai.com/v1", "api.openai.com"),
        ("http://[::1]:8000", "http://[::1]:8000", "[::1]:8000"),
        ("https://gate.example.org/a/b/v1", "https://gate.example.org/a/b/v1", "gate.example.org"),
    ],
)
def test_an_address_has_one_spelling(text: str, base: str, place: str) -> None:
    found = parse_address(text, W)
    assert (found.base, found.place) == (base, place)


@given(
    st.sampled_from(["http", "https"]),
    st.from_regex(r"[a-z][a-z0-9-]{0,10}(\.[a-z]{2,5}){0,2}", fullmatch=True),
    st.integers(1, 65535),
    st.sampled_from(["", "/v1", "/x/v1"]),
)
def test_taking_an_address_apart_is_undone_by_writing_it(
    scheme: str, host: str, port: int, path: str
) -> None:
    if host == "metadata":
        return
    found = parse_address(f"{scheme}://{host}:{port}{path}", W)
    assert (found.scheme, found.host, found.port, found.path) == (scheme, host, port, path)
    assert parse_address(found.base, W) == found


@pytest.mark.parametrize(
    "text",
    ["", "http://", "ftp://host/v1", "host:8000/v1", "http://ho st/v1", "http://host:port/v1",
     "http://host:99999/v1", "http://[::1/v1", "http://h\x00st/v1"],
)  # fmt: skip
def test_what_is_no_address_is_said_so(text: str) -> None:
    with pytest.raises(UsageError, match="is no address of a server; they look like"):
        parse_address(text, W)


def test_credentials_in_an_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        parse_address("https://me:SENTINEL@host/v1", W)
    assert "holds credentials" in str(caught.value)
    assert "SENTINEL" not in str(caught.value)


def test_parameters_belong_into_the_entry() -> None:
    with pytest.raises(UsageError, match="parameters belong into query"):
        parse_address("https://host/v1?api-version=1", W)


FORBIDDEN = [
    "169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "febf::1", "fd00:ec2::254",
    "fd20:ce::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "100.100.100.200",
]  # fmt: skip


@pytest.mark.parametrize("host", FORBIDDEN)
def test_link_local_and_metadata_addresses_are_refused(host: str) -> None:
    shown = f"[{host}]" if ":" in host else host
    with pytest.raises(UsageError, match="a link-local or metadata address"):
        check_model_name(f"http://{shown}/v1#m")


@pytest.mark.parametrize("name", ["metadata.google.internal", "Metadata.Google.Internal."])
def test_the_name_of_a_metadata_server_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="a link-local or metadata address"):
        check_model_name(f"http://{name}/computeMetadata/v1#m")


@given(st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address))
def test_an_address_of_version_4_is_forbidden_in_all_its_spellings(
    found: ipaddress.IPv4Address,
) -> None:
    link_local = found in ipaddress.ip_network("169.254.0.0/16")
    forbidden = link_local or str(found) == "100.100.100.200"
    mapped = ipaddress.IPv6Address(0xFFFF00000000 + int(found))
    translated = ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) + int(found))
    assert [is_forbidden(str(each)) for each in (found, mapped, translated)] == [forbidden] * 3


@pytest.mark.parametrize("host", ["2852039166", "innocent.example.org"])
def test_a_name_that_leads_to_a_forbidden_address_is_refused_before_anything_is_sent(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(UsageError, match=r"169\.254\.169\.254 is a link-local or metadata address"):
        PooledTransport(f"http://{host}/v1").get("/models")


def test_a_name_that_moves_after_it_was_looked_at_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = socket.getaddrinfo
    with serve(lambda _: completed("x")) as server:
        answers = iter(["127.0.0.1", "169.254.169.254"])

        def resolve(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
            return real(next(answers, "169.254.169.254"), port, *rest, **more)

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        with pytest.raises(UsageError, match="link-local"):
            PooledTransport(server.url.replace("127.0.0.1", "moving.example.org")).get("/models")
    assert server.asked == []


def test_a_socket_that_leads_to_a_forbidden_address_is_closed() -> None:
    class Peer:
        closed = False

        def getpeername(self) -> tuple[str, int]:
            return ("169.254.169.254", 80)

        def close(self) -> None:
            self.closed = True

    peer = Peer()
    with pytest.raises(UsageError, match="link-local"):
        check_peer(peer)
    assert peer.closed


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("[::1]", True), ("localhost", True),
     ("10.0.0.5", False), ("localhost.example.org", False), ("0.0.0.0", False)],
)  # fmt: skip
def test_this_machine_is_told_from_others(host: str, own: bool) -> None:
    assert parse_address(f"http://{host}/v1", W).loopback is own


def test_the_report_says_once_where_prompts_went() -> None:
    away = open_toy("https://gate.example.org/v1").identity.facts
    assert away["prompts left this machine for"] == "gate.example.org"
    own = open_toy("http://127.0.0.1:8000/v1").identity.facts
    assert "prompts left this machine for" not in own
    assert own["served by this machine at"] == "127.0.0.1:8000"
