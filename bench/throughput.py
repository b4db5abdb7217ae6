"""Cost of an item as suites grow, gain of batching, choice of threads; prints ratios of one run.

    python bench/throughput.py [--largest 100000]
    python bench/throughput.py --threads [--rows 32] [--tokens 64] [--rounds 3] [--busy 2]

The scripted model answers at once, so the first table is the harness alone: collection,
perturbation, ledger, judging (each distinct solution once), report. The cost of an item must not
grow. The second table generates the same prompts with the bundled model in batches and one by one.

With `--threads`, randomly initialised Llamas of 1.7 and 135 million parameters generate in turns with
each fixed number of threads and with the number that is timed, on the machine as it is and with one
busy process a core: the median of the timed number should reach 0.9 of the best fixed one, and
progress should show within 30 seconds. The large one gets a quarter of the rows and of the tokens.
A fixed number that took twice the best time in a round sits out the rest. About four minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TASKS = 100
PERTURBATIONS = ("C1", "C2", "C3")
PROSE = "Return the given number plus {}, whatever the sign of the given number happens to be."
PROMPTS = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--largest", type=int, default=100_000)
    parser.add_argument("--threads", action="store_true")
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--busy", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if options.threads:
        from threads import measure_threads

        measure_threads(options.rows, options.tokens, options.rounds, options.busy)
        return
    largest = options.largest
    measure_harness([size for size in (1_000, 10_000, 100_000) if size <= largest])
    measure_batching()


def measure_harness(sizes: list[int]) -> None:
    print(f"{'items':>8} {'seconds':>9} {'items/s':>9} {'ms/item':>9} {'ratio':>7}")
    first = 0.0
    for size in sizes:
        seconds, items = run_suite(size)
        cost = seconds / items
        first = first or cost
        print(
            f"{items:>8} {seconds:>9.1f} {items / seconds:>9.0f} {cost * 1e3:>9.2f} {cost / first:>7.2f}"
        )


def run_suite(size: int) -> tuple[float, int]:
    """Seconds of a whole pytest run without its start-up, and the number of its items."""
    seeds = max(1, (size // TASKS - 1) // len(PERTURBATIONS))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = "".join(json.dumps(make_task(index)) + "\n" for index in range(TASKS))
        (folder / "tasks.jsonl").write_text(rows)
        names = json.dumps(PERTURBATIONS)
        for suite, own_seeds, own in (("warm", 1, "[]"), ("grown", seeds, names)):
            (folder / f"{suite}.toml").write_text(
                f'[suite]\ntasks = "tasks.jsonl"\nperturbations = {own}\nseeds = {own_seeds}\n'
            )
        time_suite(folder, "warm.toml")  # judges the solutions that every size shares
        base = time_suite(folder, "warm.toml")
        return time_suite(folder, "grown.toml") - base, TASKS * len(PERTURBATIONS) * seeds


def time_suite(folder: Path, suite: str) -> float:
    command = [sys.executable, "-m", "pytest", suite, "--model=scripted:canonical@0.7", "-q"]
    start = time.perf_counter()
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    return time.perf_counter() - start


def make_task(index: int) -> dict[str, str]:
    return {
        "task_id": f"Bench/{index}",
        "prompt": f'def add_some(value):\n    """{PROSE.format(index)}"""\n',
        "entry_point": "add_some",
        "canonical_solution": f"    return value + {index}\n",
        "test": f"def check(candidate):\n    assert candidate(1) == {index + 1}\n",
    }


def measure_batching() -> None:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from pytest_coderobust.engine.keys import make_noise_seed
    from pytest_coderobust.models.registry import open_backend
    from pytest_coderobust.records import Cell, Row, Sampling, Variant
    from pytest_coderobust.tasks.load import load_tasks

    backend = open_backend("tiny")
    tasks = load_tasks("quickstart", base=Path()).tasks[:PROMPTS]
    variants = [Variant(each, Cell(), each.prompt) for each in tasks]
    sampling = Sampling(max_new_tokens=96)
    rows = [Row(variant, 0, make_noise_seed(variant, sampling, 0)) for variant in variants]
    backend.generate(rows[:1], sampling)
    print(f"\n{'batch':>8} {'seconds':>9} {'prompts/s':>9} {'ratio':>7}")
    alone = 0.0
    for size in (1, 8, 32, 64):
        start = time.perf_counter()
        for begin in range(0, len(rows), size):
            backend.generate(rows[begin : begin + size], sampling)
        seconds = time.perf_counter() - start
        alone = alone or seconds
        print(f"{size:>8} {seconds:>9.1f} {len(rows) / seconds:>9.1f} {alone / seconds:>7.1f}")


if __name__ == "__main__":
    main()
