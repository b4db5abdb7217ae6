"""The way to a server: proxies, certificates, limits, and what its failures say and keep quiet."""

from __future__ import annotations

import http.server
import json
import ssl
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.certificates import make_certificate
from support.scripted_server import Asked, Told, serve
from support.served_models import completed

from pytest_coderobust.errors import ModelError, UsageError
from pytest_coderobust.models.served.address import parse_address
from pytest_coderobust.models.served.connections import find_proxy
from pytest_coderobust.models.served.patience import Patience, PatientTransport
from pytest_coderobust.models.served.secrets import Credentials, Secret
from pytest_coderobust.models.served.transport import PooledTransport, Reply, TransportError

KEY = "sk-sentinel-0123456789abcdef"
KEYED = Credentials({"Authorization": Secret("K", KEY, "Bearer ")})
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def fails(transport: PooledTransport) -> TransportError:
    with pytest.raises(TransportError) as caught:
        transport.post("/completions", {})
    return caught.value


def test_paths_lie_below_the_base_or_the_root() -> None:
    with serve(lambda asked: Told({"path": asked.path})) as server:
        transport = PooledTransport(server.url.replace("/v1", "/gate/v1"))
        assert transport.get("/models").body == {"path": "/gate/v1/models"}
        assert transport.get("//props").body == {"path": "/gate/props"}
        bare = PooledTransport(server.url.removesuffix("/v1"))
        assert bare.get("/models").body == bare.get("//models").body == {"path": "/models"}


def test_connections_are_kept_and_a_fresh_one_is_not() -> None:
    with serve(lambda _: completed("x")) as server:
        transport = PooledTransport(server.url)
        for _ in range(3):
            assert transport.post("/completions", {}).ok
        transport.post("/completions", {}, fresh=True)
    assert [asked.headers.get("connection") for asked in server.asked] == [None] * 3 + ["close"]


def test_no_server_is_told_in_the_systems_words() -> None:
    with serve(lambda _: completed("x")) as server:
        gone = server.url
    error = fails(PooledTransport(gone))
    assert str(error) == "cannot connect: Connection refused"
    assert error.early


def test_an_endless_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_coderobust.models.served.failures.MOST_BYTES", 2**20)
    with serve(lambda _: Told(b" " * 2**21)) as server:
        error = fails(PooledTransport(server.url))
    assert str(error) == "an answer of more than 1 MiB"
    assert error.lasting


def test_an_answer_in_drops_has_no_more_time_than_another() -> None:
    """Each drop comes in time, and all of them do not."""
    release = threading.Event()

    class Dripping(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            while not release.wait(0.02):
                try:
                    self.wfile.write(b" ")
                except OSError:
                    return

        def log_message(self, *_: object) -> None:
            pass

    with running(Dripping) as port:
        transport = PooledTransport(f"http://127.0.0.1:{port}/v1")
        transport.read_seconds = 0.3
        error = fails(transport)
        release.set()
    assert error.timed_out


def test_a_page_is_a_reply_without_a_body() -> None:
    with serve(lambda _: Told(b"<html>")) as server:
        found = PooledTransport(server.url).get("/models")
    assert (found.status, found.text, found.body) == (200, "<html>", None)


def test_a_redirect_is_an_answer_and_nobody_follows() -> None:
    with serve(lambda _: completed("x")) as thief:
        away = Told(status=308, headers={"Location": thief.url + "/completions"})
        with serve(lambda _: away) as server:
            found = PooledTransport(server.url, KEYED).post("/completions", {})
    assert found.status == 308
    assert thief.asked == []


@contextmanager
def running(handler: Any, secure: tuple[Path, Path] | None = None) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if secure is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*secure)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Secure(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"data": []}')

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def test_a_certificate_that_nobody_trusts_ends_it(certificate: tuple[Path, Path]) -> None:
    with running(Secure, certificate) as port, pytest.raises(TransportError) as caught:
        PooledTransport(f"https://127.0.0.1:{port}/v1", KEYED).get("/models")
    assert str(caught.value).startswith("no secure connection: ")
    assert caught.value.lasting


def test_certificates_are_trusted_by_the_entry_and_by_the_environment(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(Secure, certificate) as port:
        url = f"https://127.0.0.1:{port}/v1"
        assert PooledTransport(url, ca_bundle=certificate[0]).get("/models").ok
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        assert PooledTransport(url).get("/models").ok


@pytest.mark.parametrize(
    ("url", "environment", "proxy"),
    [
        ("http://host/v1", {"http_proxy": "http://p:3128"}, "http://p:3128"),
        ("http://host/v1", {"HTTP_PROXY": "p:3128"}, "http://p:3128"),
        ("https://host/v1", {"http_proxy": "http://p:3128"}, ""),
        ("https://host/v1", {"https_proxy": "http://p:3128"}, "http://p:3128"),
        ("https://host/v1", {"all_proxy": "http://p:3128"}, "http://p:3128"),
        ("http://host/v1", {"http_proxy": "http://p:3128", "no_proxy": "host"}, ""),
        ("http://a.host/v1", {"http_proxy": "http://p:3128", "no_proxy": ".host"}, ""),
        ("http://host/v1", {"http_proxy": "http://p:3128", "no_proxy": "*"}, ""),
        ("http://host:8000/v1", {"http_proxy": "http://p:3128", "no_proxy": "host:8000"}, ""),
        ("http://127.0.0.1/v1", {"http_proxy": "http://p:3128"}, ""),
        ("http://localhost/v1", {"http_proxy": "http://p:3128"}, ""),
        ("http://[::1]/v1", {"http_proxy": "http://p:3128"}, ""),
    ],
)
def test_the_proxy_is_that_of_the_environment_and_never_for_this_machine(
    url: str, environment: dict[str, str], proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert find_proxy(parse_address(url, "")) == proxy


def test_a_proxy_gets_the_whole_address_and_its_own_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serve(lambda _: completed("x")) as proxy:
        place = proxy.url.split("/")[2]
        monkeypatch.setenv("http_proxy", f"http://me:secret@{place}")
        found = PooledTransport("http://models.example.org:8000/v1").post("/completions", {"a": 1})
    assert found.ok
    (asked,) = proxy.asked
    assert asked.path == "http://models.example.org:8000/v1/completions"
    assert asked.headers["proxy-authorization"] == "Basic bWU6c2VjcmV0"
    assert asked.body == {"a": 1}


def test_a_secure_server_is_reached_through_a_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            lines.append(self.requestline)
            lines.extend(f"{name}: {value}" for name, value in self.headers.items())
            self.send_error(502)

        def log_message(self, *_: object) -> None:
            pass

    with running(Proxy) as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        error = fails(PooledTransport("https://models.example.org/v1", KEYED))
    assert error.early
    assert lines[0].startswith("CONNECT models.example.org:443 ")
    assert KEY not in "\n".join(lines)


@pytest.mark.parametrize("proxy", ["socks5://me:SENTINEL@p:1", "http://me:SENTINEL@p:port"])
def test_a_proxy_that_cannot_be_used_is_refused_without_its_password(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(UsageError, match="the proxy that the environment names") as caught:
        PooledTransport("http://models.example.org/v1").get("/models")
    assert "SENTINEL" not in str(caught.value)


@pytest.mark.parametrize("trouble", ["reset", "refused", "value"])
def test_no_failure_has_the_key_in_its_text_or_in_a_frame(
    trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pytest's --showlocals prints the variables of each frame of a traceback."""
    with serve(lambda _: Told(reset=True)) as server:
        transport = PooledTransport(server.url, KEYED)
        if trouble == "refused":
            transport = PooledTransport("http://127.0.0.1:9/v1", KEYED)
        if trouble == "value":
            monkeypatch.setattr("urllib3.connectionpool.HTTPConnectionPool.urlopen", raise_with_key)
        error: BaseException | None = fails(transport)
    while error is not None:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert KEY not in "".join(shown.format())
        error = error.__cause__ or error.__context__


def raise_with_key(*_: object, **named: Any) -> None:
    raise ValueError(f"header {str.__str__(named['headers']['Authorization'])}")


def test_an_interrupt_leaves_no_frame_with_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **named: Any) -> None:
        key = str.__str__(named["headers"]["Authorization"])
        raise KeyboardInterrupt(len(key))

    monkeypatch.setattr("urllib3.connectionpool.HTTPConnectionPool.urlopen", interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        PooledTransport("http://127.0.0.1:9/v1", KEYED).get("/models")
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert KEY not in "".join(shown.format())
    assert caught.value.__context__ is None


class Answering:
    """A transport that gives what it was told to, one after the other."""

    def __init__(self, *answers: Reply | TransportError) -> None:
        self.answers = list(answers)

    def get(self, *_: object, **__: object) -> Reply:
        found = self.answers.pop(0)
        if isinstance(found, TransportError):
            raise found
        return found

    post = get


def patient(
    *answers: Reply | TransportError, most: float = 600.0
) -> tuple[PatientTransport, list[float]]:
    """A patient transport on a clock of its own, and the times that it slept."""
    slept: list[float] = []
    return PatientTransport(
        Answering(*answers), "host:1", "m", Patience(most=most, draw=lambda: 1.0),
        sleep=slept.append, clock=lambda: sum(slept),
    ), slept  # fmt: skip


LOADING = Reply(503, {}, "Loading model", None, 0.1)
FINE = Reply(200, {}, "{}", {}, 0.1)
REFUSED = TransportError("cannot connect: Connection refused", early=True)


def test_a_server_that_loads_is_waited_for() -> None:
    transport, slept = patient(*[LOADING] * 5, FINE)
    assert transport.get("/models") == FINE
    assert slept == [0.5, 1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_words_of_a_gateway_are_no_answer(status: int) -> None:
    transport, slept = patient(FINE, Reply(status, {}, "Bad Gateway", None, 0.1), FINE)
    assert transport.get("/models") == FINE
    assert transport.get("/models") == FINE
    assert slept == [0.5]


@pytest.mark.parametrize("status", [404, 500, 501])
def test_an_error_of_the_server_itself_is_an_answer(status: int) -> None:
    transport, slept = patient(Reply(status, {}, "", None, 0.1), FINE)
    assert transport.get("/props").status == status
    assert slept == []


def test_a_server_that_was_there_is_waited_for_when_it_goes() -> None:
    transport, slept = patient(LOADING, *[REFUSED] * 6, FINE)
    assert transport.get("/models") == FINE
    assert len(slept) == 7


def test_where_no_server_ever_was_it_is_told_soon() -> None:
    transport, slept = patient(*[REFUSED] * 10)
    with pytest.raises(ModelError) as caught:
        transport.get("/models")
    assert str(caught.value) == (
        "model 'm': no server answers at host:1: cannot connect: Connection refused"
    )
    assert sum(slept) < 5.0


def test_waiting_for_a_server_ends_with_the_patience() -> None:
    transport, slept = patient(*[LOADING] * 99, most=30.0)
    with pytest.raises(ModelError, match="did not answer for 30 s; at last: 503: Loading model"):
        transport.get("/models")
    assert sum(slept) <= 30.0


@pytest.mark.parametrize("status", [404, 500, 401, 400])
def test_an_error_of_another_kind_is_an_answer(status: int) -> None:
    found = Reply(status, {}, "", None, 0.1)
    transport, slept = patient(found)
    assert transport.get("/version") == found
    assert slept == []


def test_without_urllib3_the_extra_is_named() -> None:
    program = (
        f"import sys; sys.path[:] = {sys.path!r}; sys.modules['urllib3'] = None\n"
        "from pytest_coderobust.models.registry import check_model_name, open_backend\n"
        "check_model_name('http://127.0.0.1:8000/v1#m'); open_backend('oracle')\n"
        "try:\n    open_backend('http://127.0.0.1:8000/v1#m')\n"
        "except Exception as error:\n    print(type(error).__name__, error)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout == (
        "MissingExtra model 'http://127.0.0.1:8000/v1#m' needs the optional extra 'server': "
        "pip install 'pytest-coderobust[server]'\n"
    )


def test_json_of_any_shape_is_kept() -> None:
    values = [None, [], {"a": [1, "x"]}, "text", 0]
    script = iter(values)

    def answer(_: Asked) -> Told:
        return Told(json.dumps(next(script)).encode())

    with serve(answer) as server:
        transport = PooledTransport(server.url)
        assert [transport.get("/x").body for _ in values] == values
