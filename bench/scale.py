"""Time and memory of a ledger from 10,000 to 1,000,000 observations; prints how each grows.

    python bench/scale.py [--observations 10000 100000 1000000] [--samples 1] [--folder /var/tmp]
    python bench/scale.py --observations 10000000 --measured 0.01

Tasks, prompts, completions and verdicts are made up, and written through the ledger's own functions
as the engine does: completions 16 at a time, their verdicts likewise, one transaction an observation.
Some windows have the very keys that the engine gives; a measurement finds their squares complete
among all the others, and has neither a model nor a sandbox that it could ask. Then the commands
conclude, report and gate. Each part is a process of its own, whose processor time and memory are its
own. Every perturbation has five seeds, so a plan has 46 cells, and larger plans have more tasks.

10,000,000 observations take an hour of processor time and 18 GB of disk: they are for a run by hand.
With `--measured` a plan of that size is measured in part, and concluded about as far as it went.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from scale_rows import NAMES, SEEDS, Absent, write_batch, write_suite

from pytest_coderobust.config.suite import read_suite
from pytest_coderobust.engine.completions import CompletionStore
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.engine.plan import Plan, read_plan
from pytest_coderobust.engine.selfcheck import SelfCheck
from pytest_coderobust.engine.verdicts import VerdictStore
from pytest_coderobust.engine.windows import cut_windows
from pytest_coderobust.gates import decide, parse_gate
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.metrics.summary import summarise
from pytest_coderobust.records import (
    Square,
    Task,
    Verdict,
)
from pytest_coderobust.results.conclusion import Origin, conclude
from pytest_coderobust.results.result import DecidedRun
from pytest_coderobust.results.suite_run import assemble
from pytest_coderobust.sandbox.check import Check

BATCH = 16
GENUINE = (0, 1, 8)
"""Cells some of whose windows have the engine's keys: clean, and two perturbations."""


class Closed:
    """A sandbox that judged everything before."""

    tier = "ns"
    workers = 1

    def submit(self, check: Check) -> Future[Verdict]:
        raise AssertionError(f"a verdict is missing in the ledger: {check}")

    def close(self) -> None:
        pass


@dataclass(slots=True)
class Bench:
    """One plan and its ledger.

    Attributes:
        measured: the share of the tasks that is measured, besides those of the genuine windows.
    """

    folder: Path
    measured: float = 1.0

    @property
    def path(self) -> Path:
        return self.folder / "ledger.sqlite"

    def plan(self) -> Plan:
        return read_plan(read_suite(self.folder / "suite.toml"))

    def measurement(self, plan: Plan, ledger: Ledger) -> Measurement:
        def listen(_: object) -> None:
            pass

        judge = VerdictStore(Closed(), ledger, listen)
        answers = CompletionStore(Absent(), ledger, listen)
        return Measurement(plan, answers, judge, ledger, listen, SelfCheck({}, frozenset()))

    def list_measured(self, plan: Plan) -> list[Task]:
        """Lists the tasks that are measured, under every cell."""
        asked = {task for window in self.genuine(plan) for task, _ in window}
        most = self.measured * len(plan.tasks)
        return [
            task
            for place, (name, task) in enumerate(plan.tasks.items())
            if place < most or name in asked
        ]

    def genuine(self, plan: Plan) -> tuple[tuple[Square, ...], ...]:
        """The windows whose keys are the engine's, spread over tasks; each with its clean one."""
        tasks = tuple(plan.tasks)
        size = plan.config.window
        starts = range(0, len(tasks), size)
        chosen = [starts[place * len(starts) // 4] for place in range(min(4, len(starts)))]
        cells = [plan.cells[place] for place in GENUINE]
        return tuple(
            tuple((task, cell) for task in tasks[start : start + size])
            for cell in cells
            for start in chosen
        )


def read_everything(bench: Bench) -> tuple[float, dict[str, float]]:
    """Reads the plan and cuts its windows."""
    plan = bench.plan()
    squares = [(task, cell) for cell in plan.cells for task in plan.tasks]
    began = time.perf_counter()
    windows = cut_windows(squares, plan.tasks, plan.cells, plan.config.window)
    return len(squares), {"windows_s": time.perf_counter() - began, "n": len(windows.squares)}


def insert(bench: Bench) -> tuple[float, dict[str, float]]:
    """Writes every observation with its evidence, in the order of the engine."""
    plan = bench.plan()
    ledger = Ledger(bench.path)
    measurement = bench.measurement(plan, ledger)
    genuine = frozenset(square for window in bench.genuine(plan) for square in window)
    source = random.Random(1)
    marks = [time.process_time()]
    measured = bench.list_measured(plan)
    count, every = 0, len(measured) * len(plan.cells) // 10
    for cell in plan.cells:
        tasks = iter(measured)
        while batch := list(islice(tasks, BATCH)):
            write_batch(measurement, ledger, batch, cell, genuine, source)
            if count // every != (count + len(batch)) // every:
                marks.append(time.process_time())
            count += len(batch)
    ledger.close()
    last = 1e6 * (marks[-1] - marks[-2]) / every
    return count, {"last tenth us": last, **measure_file(bench.path, count)}


def measure_file(path: Path, count: int) -> dict[str, float]:
    """Measures the bytes of each observation, in all and by table."""
    found = {"B each": path.stat().st_size / count}
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall()
    connection.close()
    return found | {f"B {name}": size / count for name, size in rows if size > 9 * count}


def resume(bench: Bench) -> tuple[float, dict[str, float]]:
    """Measures the squares of some windows again, of a session that wants every square."""
    plan = bench.plan()
    ledger = Ledger(bench.path)
    measurement = bench.measurement(plan, ledger)
    began = time.process_time()
    squares = [(task, cell) for cell in plan.cells for task in plan.tasks]
    measurement.want(squares)
    wanted = time.process_time() - began
    began = time.process_time()
    count = 0
    for window in bench.genuine(plan):
        for task, cell in window:
            measurement.measure(plan.tasks[task], cell)
            count += 1
    seconds = time.process_time() - began
    ledger.close()
    return len(squares), {"item us": 1e6 * seconds / count, "want us": 1e6 * wanted / len(squares)}


def conclude_run(bench: Bench) -> tuple[float, dict[str, float]]:
    """Computes numbers and gates from the ledger, as the end of a session does."""
    plan = bench.plan()
    ledger = Ledger(bench.path)
    measurement = bench.measurement(plan, ledger)
    seen = {(task.id, cell) for cell in plan.cells for task in bench.list_measured(plan)}
    model, tier = measurement.model, "ns"
    run = assemble(plan, ledger, measurement.run, model, tier, seen=seen)
    summary = summarise(run)
    gates = decide([parse_gate(text, "bench") for text in plan.config.gates], summary, run)
    conclude(ledger, measurement.run, DecidedRun(run, summary, gates), Origin("suite.toml"))
    ledger.close()
    assert bench.measured < 1 or not summary.incomplete, summary.incomplete
    return len(run.observations), {}


PARTS: dict[str, Callable[[Bench], tuple[float, dict[str, float]]]] = {
    "plan": read_everything,
    "insert": insert,
    "resume": resume,
    "conclude": conclude_run,
}
"""The parts that are no command, each with the number of its observations."""

COMMANDS = {
    "report": ("report", "{ledger}"),
    "report --json": ("report", "{ledger}", "--json", "{folder}/report.json"),
    "report --html": ("report", "{ledger}", "--html", "{folder}/report.html"),
    "gate": ("gate", "{ledger}", "--suite", "{folder}/suite.toml"),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """The cost of one part: seconds by the clock and of the processor, and bytes of memory."""

    wall: float
    cpu: float
    memory: int
    more: dict[str, float]


def run_child(words: Sequence[str]) -> tuple[Figures, str]:
    """Runs a process; its figures are its own, and what it printed."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as stream:
        child = subprocess.Popen([sys.executable, *words], stdout=stream)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
        stream.seek(0)
        said = stream.read()
    if child.returncode not in (0, 1):
        raise SystemExit(f"{words} ended in {child.returncode}")
    return Figures(wall, used.ru_utime + used.ru_stime, used.ru_maxrss << 10, {}), said


def run_parts(
    folder: Path, parts: Sequence[str], share: float = 1.0
) -> Iterator[tuple[str, Figures]]:
    for part in parts:
        if part in PARTS:
            words = ["--part", part, "--folder", str(folder), "--measured", str(share)]
            figures, said = run_child([__file__, *words])
            more = json.loads(said.splitlines()[-1])
        else:
            names = {"ledger": str(folder / "ledger.sqlite"), "folder": str(folder)}
            words = [word.format(**names) for word in COMMANDS[part]]
            figures, _ = run_child(["-m", "pytest_coderobust.cli", *words])
            more = {}
            for kind in ("json", "html"):
                if part.endswith(kind):
                    more = {"MiB": (folder / f"report.{kind}").stat().st_size / 2**20}
        yield part, Figures(figures.wall, figures.cpu, figures.memory, more)


def compare(chosen: argparse.Namespace) -> None:
    """Prints each part at each size, and its time for each observation beside the size before."""
    before: dict[str, float] = {}
    for size in chosen.observations:
        load = os.getloadavg()[0]
        folder = Path(tempfile.mkdtemp(prefix="coderobust-scale-", dir=chosen.folder))
        try:
            tasks = max(1, size // (1 + SEEDS * len(NAMES)))
            write_suite(folder, tasks, chosen.samples)
            count = tasks * (1 + SEEDS * len(NAMES))
            print(f"\n{count:,} planned, n = {chosen.samples}, load {load:.1f}", flush=True)
            for part, found in run_parts(folder, chosen.parts, chosen.measured):
                count = int(found.more.pop("count", count))
                each = 1e6 * found.cpu / count
                ratio = f"x {each / before[part]:4.2f}" if part in before else "      "
                before[part] = each
                more = ", ".join(f"{name} {value:,.2f}" for name, value in found.more.items())
                print(
                    f"{part:<14} {count:>10,} in {found.wall:7.1f} s, cpu {each:8.1f} us each {ratio}, "
                    f"{found.memory / 2**20:7.0f} MiB  {more}",
                    flush=True,
                )
        finally:
            shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--observations", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"))
    parser.add_argument(
        "--parts", nargs="+", choices=[*PARTS, *COMMANDS], default=[*PARTS, *COMMANDS]
    )
    parser.add_argument("--measured", type=float, default=1.0, help="share of the tasks")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part is None:
        compare(chosen)
        return
    more: dict[str, float] = {}
    more["count"], found = PARTS[chosen.part](Bench(chosen.folder, chosen.measured))
    more |= found
    print(json.dumps(more))


if __name__ == "__main__":
    main()
