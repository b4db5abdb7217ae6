"""Error rate and savings of early decisions, in simulated suites.

    python bench/early.py [--runs 2000] [--tasks 164]

Tasks have rates of their own (ICC 0.5 between samples of a task), and five samples each of the
clean prompt and of two variants. Gates have a confidence of 95 %. In the first table the truth is
at the gate's threshold, where either outcome is an error; "early" is the share of runs that ended
before the last task. In the second table the truth is away from it: the share of the plan that was
asked, and the decisions of the same gate on the whole plan.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.early_simulation import simulate

BOUNDARY = (
    ("pass@1 >= 0.5", 0.5, 0.9),
    ("pass@1 >= 0.8", 0.8, 0.9),
    ("rd[C1] <= 0.15", 0.8, 0.85),
)
AWAY = (
    ("pass@1 >= 0.5", 0.6, 0.9),
    ("pass@1 >= 0.5", 0.7, 0.9),
    ("pass@1 >= 0.5", 0.9, 0.9),
    ("pass@1 >= 0.8", 0.9, 0.9),
    ("pass@1 >= 0.8", 0.5, 0.9),
    ("rd[C1] <= 0.15", 0.8, 0.98),
    ("rd[C1] <= 0.15", 0.8, 0.93),
    ("rd[C1] <= 0.15", 0.8, 0.5),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--tasks", type=int, default=164)
    arguments = parser.parse_args()
    tasks, runs = arguments.tasks, arguments.runs
    print(f"{'gate':<16} {'rate':>5} {'RD':>5} {'wrong':>7} {'early':>7}   at the boundary")
    for text, rate, kept in BOUNDARY:
        found = simulate(text, tasks, rate, kept, runs)
        wrong = found.holds + found.fails
        print(
            f"{text:<16} {rate:>5} {1 - kept:>5.2f} {wrong:>7.4f} {found.early:>7.4f}", flush=True
        )
    print(
        f"\n{'gate':<16} {'rate':>5} {'RD':>5} {'holds':>7} {'fails':>7} {'asked':>7}"
        f" {'whole: holds':>13} {'fails':>7}"
    )
    for text, rate, kept in AWAY:
        few = max(1, runs // 5)
        found = simulate(text, tasks, rate, kept, few)
        whole = simulate(text, tasks, rate, kept, few, early=False)
        print(
            f"{text:<16} {rate:>5} {1 - kept:>5.2f} {found.holds:>7.3f} {found.fails:>7.3f}"
            f" {found.asked:>7.3f} {whole.holds:>13.3f} {whole.fails:>7.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
