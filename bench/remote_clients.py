"""Clients of a served model side by side: a raw asyncio one, http.client, urllib3, and our stream.

    python bench/remote_clients.py [--requests 1024] [--flight 32 128] [--rounds 3] [--no-delay]

A server in a process of its own answers each prompt after a heavy-tailed delay (0.1 to 1.7 s) that
depends on the prompt alone. Every client sends the same prompts; the rounds are interleaved, and the
median counts. Told are requests a second, their share of the raw client's, and the processor time of
this process a request. Walls move with whatever else the machine does; shares and processor time are
what to read.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import multiprocessing
import queue
import statistics
import threading
import time
import zlib
from collections.abc import Callable
from multiprocessing.connection import Connection

import urllib3

from pytest_coderobust.config.served import ServerEntry
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.served.agreement import Agreement, PlainAgreement
from pytest_coderobust.models.served.backend import ServedBackend
from pytest_coderobust.models.served.opening import make_server
from pytest_coderobust.records import Cell, Row, Sampling, Task, Tests, Variant

BODY = {
    "model": "toy",
    "choices": [{"text": "    return 1\n" * 8, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 50, "completion_tokens": 60},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=1024)
    parser.add_argument("--flight", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-delay", action="store_true")
    options = parser.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there, not options.no_delay), daemon=True)
    server.start()
    port: int = here.recv()
    prompts = [f"def f{place}():\n" for place in range(options.requests)]
    for flight in options.flight:
        compare(port, prompts, flight, options.rounds)
    server.kill()


def compare(port: int, prompts: list[str], flight: int, rounds: int) -> None:
    clients: dict[str, Callable[[int, list[str], int], None]] = {
        "raw asyncio": ask_raw,
        "threads, http.client": ask_http_client,
        "threads, urllib3": ask_urllib3,
        "our stream": ask_stream,
    }
    seconds: dict[str, list[float]] = {name: [] for name in clients}
    spent: dict[str, list[float]] = {name: [] for name in clients}
    for _ in range(rounds):
        for name, ask in clients.items():
            began, cpu = time.monotonic(), time.process_time()
            ask(port, prompts, flight)
            seconds[name].append(time.monotonic() - began)
            spent[name].append(time.process_time() - cpu)
    raw = statistics.median(seconds["raw asyncio"])
    print(f"{len(prompts)} requests, {flight} in flight, median of {rounds} interleaved rounds")
    print(f"{'client':<22} {'requests/s':>10} {'of raw':>7} {'CPU-ms each':>12}")
    for name in clients:
        wall = statistics.median(seconds[name])
        each = 1000 * statistics.median(spent[name]) / len(prompts)
        print(f"{name:<22} {len(prompts) / wall:>10.0f} {raw / wall:>7.2f} {each:>12.2f}")
    print(flush=True)


def delay_of(prompt: str) -> float:
    """A heavy tail: half below 0.2 s, one in fifty above a second."""
    share = zlib.crc32(prompt.encode()) / 2**32
    return min(0.1 / max(1.0 - share, 1e-9) ** 0.7, 1.7)


def serve(ready: Connection, delayed: bool) -> None:
    """Answers on a port of 127.0.0.1, which it says."""
    body = json.dumps(BODY).encode()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    answer = head.encode() + body

    class Answering(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport
            self.seen = b""

        def data_received(self, data: bytes) -> None:
            self.seen += data
            top, mark, rest = self.seen.partition(b"\r\n\r\n")
            size = next(
                (
                    int(line[15:])
                    for line in top.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ),
                0,
            )
            if not mark or len(rest) < size:
                return
            self.seen = rest[size:]
            wait = delay_of(json.loads(rest[:size])["prompt"]) if delayed else 0.0
            asyncio.get_running_loop().call_later(wait, self.transport.write, answer)  # type: ignore[attr-defined]

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Answering, "127.0.0.1", 0, backlog=2048)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def make_request(prompt: str) -> bytes:
    return json.dumps(
        {"model": "toy", "prompt": prompt, "max_tokens": 64, "temperature": 0}
    ).encode()


def ask_raw(port: int, prompts: list[str], flight: int) -> None:
    waiting = iter(prompts)

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for prompt in waiting:
            body = make_request(prompt)
            writer.write(
                b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            top = await reader.readuntil(b"\r\n\r\n")
            size = int(top.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            json.loads(await reader.readexactly(size))
        writer.close()

    async def run() -> None:
        await asyncio.gather(*(work() for _ in range(flight)))

    asyncio.run(run())


def ask_with_threads(
    prompts: list[str], flight: int, ask: Callable[[], Callable[[bytes], bytes]]
) -> None:
    """Threads that share a queue of prompts; `ask` makes each one's way to send."""
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for prompt in prompts:
        waiting.put(prompt)

    def work() -> None:
        send = ask()
        while True:
            try:
                prompt = waiting.get_nowait()
            except queue.Empty:
                return
            json.loads(send(make_request(prompt)))

    threads = [threading.Thread(target=work) for _ in range(flight)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def ask_http_client(port: int, prompts: list[str], flight: int) -> None:
    def ask() -> Callable[[bytes], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port)

        def send(body: bytes) -> bytes:
            connection.request(
                "POST", "/v1/completions", body, {"Content-Type": "application/json"}
            )
            return connection.getresponse().read()

        return send

    ask_with_threads(prompts, flight, ask)


def ask_urllib3(port: int, prompts: list[str], flight: int) -> None:
    pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=flight, retries=False)

    def send(body: bytes) -> bytes:
        headers = {"Content-Type": "application/json"}
        return pool.urlopen("POST", "/v1/completions", body, headers, redirect=False).data

    ask_with_threads(prompts, flight, lambda: send)
    pool.close()


def ask_stream(port: int, prompts: list[str], flight: int) -> None:
    entry = ServerEntry((f"http://127.0.0.1:{port}/v1",), "toy")
    backend = ServedBackend(
        make_server("toy", entry, ModelOptions(concurrency=flight), {}), Unmet()
    )
    rows = [
        Row(Variant(Task(prompt, prompt, "f", Tests("", "asserts")), Cell(), prompt), 0, 7)
        for prompt in prompts
    ]
    answers = list(filter(None, backend.stream(iter(rows), Sampling(max_new_tokens=64))))
    assert len(answers) == len(prompts)
    backend.close()


class Unmet:
    """An introducer that asks nobody."""

    def introduce(self, *_: object) -> Agreement:
        return PlainAgreement("toy")

    def check_length(self, *_: object) -> None:
        """Checks nothing."""


if __name__ == "__main__":
    main()
