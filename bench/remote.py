"""Rate of a served model's client beside a raw one, with heavy-tailed delays; prints medians.

    python bench/remote.py [--requests 1024] [--rounds 3] [--flights 32 128]

A server in a process of its own answers each request after a delay of its own, 0.1 to 1.7 seconds,
most of them short, which prompt and seed fix: every client meets the same delays. The raw client is
asyncio streams on kept connections that share a queue, and does nothing with what it reads. Ours is
a whole measurement: rows from a suite, answers parsed, stored and judged in the sandbox beside.
Rounds are interleaved. The sending threads' processor time is theirs alone (`time.thread_time`);
judging and storing happen in other threads and processes. Targets: 0.95 of the raw client at 32 and
at 128 in flight, and below 1 ms for each request.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pytest_coderobust.config.served import ServerEntry
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.served.agreement import PlainAgreement
from pytest_coderobust.models.served.backend import ServedBackend
from pytest_coderobust.models.served.concurrency import start_concurrency
from pytest_coderobust.models.served.lanes import Lane
from pytest_coderobust.models.served.opening import make_server
from pytest_coderobust.models.served.requests import SEEDS
from pytest_coderobust.models.served.server import Server
from pytest_coderobust.models.served.transport import PooledTransport, Reply, Transport
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.session import open_session

SAMPLES = 16
SHORTEST, LONGEST = 0.1, 1.7


def find_delay(prompt: str, seed: int) -> float:
    """Draws a delay by prompt and seed: Pareto with an exponent of 1.2, cut at the longest."""
    drawn = hashlib.blake2b(f"{seed} {prompt}".encode(), digest_size=8).digest()
    share = (int.from_bytes(drawn, "big") + 1) / 2**64
    return min(LONGEST, SHORTEST * share ** (-1 / 1.2))


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers requests on one connection until it is closed."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            lines = head.decode("latin-1").lower().split("\r\n")
            size = next(int(line[15:]) for line in lines if line.startswith("content-length:"))
            body = json.loads(await reader.readexactly(size))
            await asyncio.sleep(find_delay(body["prompt"], body["seed"]))
            text = f"    return value + {body['prompt'].partition('(')[0][5:]}\n"
            said = json.dumps(
                {
                    "model": "bench",
                    "choices": [{"text": text, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": 20, "completion_tokens": 9},
                }
            ).encode()
            head_out = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(said)}\r\n\r\n"
            writer.write(head_out.encode() + said)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def serve() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


@contextmanager
def serving() -> Iterator[int]:
    """Runs the server in a process of its own; gives its port."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


async def ask_raw(port: int, bodies: list[bytes], flight: int) -> float:
    """Sends every body over `flight` kept connections; returns the seconds that took."""
    waiting = iter(bodies)

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for body in waiting:
            head = f"POST /v1/completions HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
            answered = await reader.readuntil(b"\r\n\r\n")
            size = int(answered.lower().rpartition(b"content-length:")[2].split(b"\r\n")[0])
            await reader.readexactly(size)
        writer.close()

    began = time.monotonic()
    await asyncio.gather(*(work() for _ in range(flight)))
    return time.monotonic() - began


class TimedPosts(PooledTransport):
    """Notes the processor time of each thread that sends, and what was sent."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        self.seconds: dict[int, float] = {}
        self.bodies: list[bytes] = []

    def post(self, path: str, body: Mapping[str, object], *, fresh: bool = False) -> Reply:
        self.bodies.append(json.dumps(body).encode())  # in the order of sending, for the raw client
        reply = super().post(path, body, fresh=fresh)
        self.seconds[threading.get_ident()] = time.thread_time()
        return reply


class Known:
    """An introduction without a handshake."""

    def introduce(self, _transport: Transport, _server: Server) -> PlainAgreement:
        return PlainAgreement("bench", answered="bench")

    def check_length(self, *_: object) -> None:
        """Trusts the server."""


def open_backend(port: int, flight: int) -> tuple[ServedBackend, TimedPosts]:
    address = f"http://127.0.0.1:{port}/v1"
    options = ModelOptions(concurrency=flight)
    server = make_server("bench", ServerEntry((address,), "bench"), options, os.environ, typed=True)
    backend = ServedBackend(server, Known())
    posts = TimedPosts(server.addresses[0].base, server.credentials, where="bench: ")
    backend.lanes = (Lane(server.addresses[0], posts, start_concurrency(flight)),)
    return backend, posts


def write_suite(folder: Path, tasks: int) -> Path:
    rows = [
        {
            "task_id": f"Bench/{place}",
            "prompt": f'def f{place}(value):\n    """Return the value plus {place}."""\n',
            "entry_point": f"f{place}",
            "canonical_solution": f"    return value + {place}\n",
            "test": f"def check(candidate):\n    assert candidate(3) == {3 + place}\n",
        }
        for place in range(tasks)
    ]
    (folder / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    suite = folder / "bench.toml"
    suite.write_text(
        f'[suite]\ntasks = "tasks.jsonl"\n[sampling]\nn = {SAMPLES}\ntemperature = 0.8\n'
    )
    return suite


def measure(port: int, requests: int, flight: int) -> tuple[float, float, list[bytes]]:
    """Measures a suite: the seconds, the processor seconds of a request, and the bodies."""
    with tempfile.TemporaryDirectory() as scratch:
        suite = write_suite(Path(scratch), requests // SAMPLES)
        backend, posts = open_backend(port, flight)
        choices = Choices(ledger=Path(scratch) / "ledger.sqlite")
        with open_session(choices, Path(scratch), backend=backend) as session:
            opened = session.suite(session.refer(suite))
            measurement = opened.single
            squares = [(task, cell) for cell in opened.plan.cells for task in opened.plan.tasks]
            measurement.want(squares)
            measurement.selfcheck()
            first = next(iter(opened.plan.tasks.values()))
            began = time.monotonic()
            measurement.measure(first, opened.plan.cells[0])
            took = time.monotonic() - began
            solved = sum(
                measurement.measure(task, opened.plan.cells[0]).observation.c
                for task in opened.plan.tasks.values()
            )
        backend.close()
    assert len(posts.bodies) == solved == requests, (len(posts.bodies), solved)
    return took, sum(posts.seconds.values()) / requests, posts.bodies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--flights", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return
    print(f"{'in flight':>9} {'raw/s':>8} {'ours/s':>8} {'share':>7} {'CPU-ms a request':>17}")
    with serving() as port:
        for flight in options.flights:
            rounds: list[tuple[float, float, float]] = []
            for _ in range(options.rounds):
                ours, processor, bodies = measure(port, options.requests, flight)
                raw = asyncio.run(ask_raw(port, bodies, flight))
                rounds.append((options.requests / raw, options.requests / ours, processor))
            raw_rate, our_rate, processor = (
                statistics.median(each[place] for each in rounds) for place in range(3)
            )
            share = statistics.median(each[1] / each[0] for each in rounds)
            print(
                f"{flight:>9} {raw_rate:>8.1f} {our_rate:>8.1f} {share:>7.3f} {processor * 1e3:>17.2f}"
            )


if __name__ == "__main__":
    assert SEEDS == 2**31 - 1
    main()
