"""Measures how often intervals cover the truth and tests reject it, in simulated suites.

    python bench/significance.py [--runs 2000]

Each task has its own rate (ICC 0.5 between samples of a task) and five samples. In the second table
the null hypothesis is true: tasks change and their mean does not. McNemar on pooled pairs treats the
pairs of one task as independent and rejects too often. Sign flips of task totals do not.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.metrics_simulation import coverage, rejections


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    runs = parser.parse_args().runs
    print(f"{'tasks':>6} {'rate':>6} {'RD':>6} {'pass@1':>8} {'rd':>8} {'change':>8}   covered")
    for tasks in (30, 100, 164):
        for rate, kept in ((0.2, 0.9), (0.5, 0.7), (0.8, 0.95)):
            found = coverage(tasks, rate, kept, runs)
            shares = " ".join(f"{found[name]:>8.3f}" for name in ("pass@1", "rd", "change"))
            print(f"{tasks:>6} {rate:>6} {1 - kept:>6.2f} {shares}")
    print(f"\n{'tasks':>6} {'sign flips of tasks':>20} {'McNemar on pooled pairs':>24}   rejected")
    for tasks in (30, 100, 164):
        flips, pooled = rejections(tasks, 0.5, max(1, runs // 4)).values()
        print(f"{tasks:>6} {flips:>20.3f} {pooled:>24.3f}")


if __name__ == "__main__":
    main()
