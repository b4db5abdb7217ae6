"""Processor seconds to compile a Java check: a fresh javac, a warm compiler, and several a call.

    CODEROBUST_DATA=... python bench/java_batches.py [--rounds 3] [--tasks 164]

Judges HumanEval-X's canonical solutions with 1, 2, 4 and 8 of them to a call of the compiler, in turn,
and prints medians over the rounds. The time of a check is that of all processes below this one, less
the run of the program; the start of the worker and of its compiler is in it. A fresh javac is timed on
the first `--alone` tasks.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import tempfile
from pathlib import Path

from pytest_coderobust.records import Task
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.languages import java
from pytest_coderobust.sandbox.languages.java_builds import make_name
from pytest_coderobust.sandbox.pool.taken import TOGETHER
from pytest_coderobust.tasks.load import load_tasks

SIZES = (1, 2, 4, 8)


def seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def compile_alone(tasks: tuple[Task, ...]) -> float:
    """Seconds a check of a javac of its own."""
    before = seconds_of_children()
    for task in tasks:
        sources = java.write_sources(task.prompt + str(task.canonical), task.tests, make_name())
        with tempfile.TemporaryDirectory() as folder:
            for name, text in sources.items():
                (Path(folder) / name).write_text(text, encoding="utf-8")
            command = ["javac", "-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1", "-nowarn"]
            subprocess.run([*command, *sources], cwd=folder, check=True)
    return (seconds_of_children() - before) / len(tasks)


def compile_together(tasks: tuple[Task, ...], size: int) -> float:
    """Seconds a check outside its run, with up to `size` checks a call."""
    TOGETHER["java"] = size
    before = seconds_of_children()
    with open_sandbox(1) as sandbox:
        checks = [
            Check(task.prompt + str(task.canonical), task.entry_point, task.tests, language="java")
            for task in tasks
        ]
        verdicts = [future.result() for future in [sandbox.submit(check) for check in checks]]
    assert all(verdict.full for verdict in verdicts)
    ran = sum(verdict.cpu_seconds for verdict in verdicts)
    return (seconds_of_children() - before - ran) / len(tasks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tasks", type=int, default=164)
    parser.add_argument("--alone", type=int, default=5)
    options = parser.parse_args()
    tasks = load_tasks("humaneval-java", base=Path()).tasks[: options.tasks]
    print(f"fresh javac: {compile_alone(tasks[: options.alone]):.3f} s a check")
    found: dict[int, list[float]] = {size: [] for size in SIZES}
    for number in range(options.rounds):
        for size in SIZES if number % 2 else reversed(SIZES):
            found[size].append(compile_together(tasks, size))
    for size, seconds in found.items():
        print(f"{size} a call: {statistics.median(seconds):.4f} s a check")


if __name__ == "__main__":
    main()
