"""Checks per second on a Ray cluster of two nodes, beside the local pool with as many lanes.

    pip install --group clusters
    CODEROBUST_DATA=... python bench/judges.py [--rounds 3] [--nodes 2] [--every 1] [--processes]

Judges the 1,640 recorded completions of CodeGen-16B for HumanEval; `--every N` takes each N-th of them.
Every round judges them once in the local pool and once on the cluster, one after the other, and every
second round in the opposite order, so that a busy machine slows both alike; the ratio of each round
and their median are printed. Each node has one lane, so two nodes have the lanes of `open_sandbox(2)`.
Before the clock starts each sandbox has judged one completion of each task, as a run has. Verdicts
that differ are counted, their times aside: there must be none.

Processor seconds are those of every process below this one, Ray's own among them, and of those that
they have waited for. `--processes` adds an `ExecutorSandbox` of as many processes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from pytest_coderobust.records import Limits, Tests, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check, Sandbox
from pytest_coderobust.sandbox.nodes.executor import ExecutorSandbox
from pytest_coderobust.sandbox.nodes.ray_cluster import open_ray_sandbox

LIMITS = Limits(cpu_seconds=5.0, call_seconds=1.0, wall_seconds=20.0)
STORE_BYTES = 80 << 20


@dataclass(frozen=True)
class Round:
    """One pass over all checks."""

    seconds: float
    processor: float
    verdicts: list[Verdict]


def read_checks(every: int) -> list[Check]:
    data = Path(os.environ["CODEROBUST_DATA"])
    with gzip.open(data / "humaneval" / "HumanEval.jsonl.gz", "rt") as stream:
        tasks = {row["task_id"]: row for row in map(json.loads, stream)}
    with gzip.open(data / "completions" / "humaneval_codegen16b_t0.8_n10.jsonl.gz", "rt") as stream:
        rows = [json.loads(line) for line in stream][::every]
    return [make_check(tasks[row["task_id"]], row["completion"]) for row in rows]


def make_check(task: dict[str, Any], completion: str) -> Check:
    tests = Tests(task["test"], "check", task["prompt"])
    return Check(task["prompt"] + completion, task["entry_point"], tests, LIMITS)


def measure_processor() -> float:
    """Processor seconds of this process and all below it, and of those they have waited for."""
    total = 0.0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        try:
            used = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += used.user + used.system + used.children_user + used.children_system
    return total


def judge(sandbox: Sandbox, checks: list[Check]) -> Round:
    before, started = measure_processor(), time.perf_counter()
    futures = [sandbox.submit(check) for check in checks]
    verdicts = [replace(future.result(), cpu_seconds=0.0) for future in futures]
    seconds = time.perf_counter() - started
    return Round(seconds, measure_processor() - before, verdicts)


@contextmanager
def open_cluster(nodes: int) -> Iterator[Sandbox]:
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": STORE_BYTES}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(nodes):
            cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
        with open_ray_sandbox(cluster.address) as sandbox:
            print(*sandbox.notes, sep="\n", flush=True)
            yield sandbox
    finally:
        cluster.shutdown()


@contextmanager
def open_processes(count: int) -> Iterator[Sandbox]:
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(count, context) as executor,
        ExecutorSandbox(executor, 1, processes=count) as sandbox,
    ):
        yield sandbox


def run(name: str, options: argparse.Namespace, checks: list[Check]) -> Round:
    """One round of one runner, in a sandbox of its own that is warm."""
    runners: dict[str, Callable[[int], Any]] = {
        "local": open_sandbox,
        "ray": open_cluster,
        "processes": open_processes,
    }
    with runners[name](options.nodes) as sandbox:
        first = {check.entry_point + check.tests.source: check for check in checks}
        judge(sandbox, list(first.values()))
        found = judge(sandbox, checks)
    rate = len(checks) / found.seconds
    each = 1000 * found.processor / len(checks)
    load = os.getloadavg()[0]
    print(
        f"  {name:<10} {rate:7.1f} checks/s  {each:6.1f} processor ms/check  load {load:.1f}",
        flush=True,
    )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--processes", action="store_true")
    options = parser.parse_args()
    if find_spec("ray") is None:
        print("Ray is not installed: pip install --group clusters")
        return
    checks = read_checks(options.every)
    names = ["local", "ray", *(["processes"] if options.processes else [])]
    ratios: dict[str, list[float]] = {name: [] for name in names[1:]}
    for turn in range(options.rounds):
        print(f"round {turn + 1}: {len(checks)} checks, {options.nodes} lanes")
        found = {name: run(name, options, checks) for name in (names, names[::-1])[turn % 2]}
        for name, those in ratios.items():
            those.append(found["local"].seconds / found[name].seconds)
            pairs = zip(found["local"].verdicts, found[name].verdicts, strict=True)
            differing = sum(ours != there for ours, there in pairs)
            print(
                f"  {name} / local: {those[-1]:.3f}; verdicts that differ: {differing}", flush=True
            )
    for name, those in ratios.items():
        print(f"{name} / local, median of {len(those)} rounds: {statistics.median(those):.3f}")


if __name__ == "__main__":
    main()
