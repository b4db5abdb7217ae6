"""Measures variants per second for each perturbation, and the speed of `dissect` and `audit`.

    python bench/perturb.py

Reads HumanEval from CODEROBUST_DATA where it is set, else makes prompts of its own. The last column
is the time per variant as a multiple of C1's.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from coderobust_strategies import names, perturb
from coderobust_strategies.audit import audit
from coderobust_strategies.prompt.anatomy import dissect

OWN = '''def largest_gap{number}(values: list) -> int:
    """Return the largest difference between two neighbouring values of the given list.
    If the list holds fewer than 2 elements, return 0. The order must not be changed.
    >>> largest_gap{number}([1, 5, 6])
    4
    """
'''


def prompts() -> list[tuple[str, str]]:
    """Reads (task id, prompt) of HumanEval, or makes 100 copies of the prompt above."""
    folder = os.environ.get("CODEROBUST_DATA")
    path = Path(folder, "humaneval", "HumanEval.jsonl.gz") if folder else None
    if path is None or not path.exists():
        return [(str(number), OWN.format(number=number)) for number in range(100)]
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = map(json.loads, lines)
        return [(row["task_id"], row["prompt"]) for row in rows]


def seconds_each(work: Callable[[str, str], object], tasks: list[tuple[str, str]]) -> float:
    for task in tasks:
        work(*task)  # loads the word lists and fills the cache of dissected prompts
    start = perf_counter()
    for task in tasks:
        work(*task)
    return (perf_counter() - start) / len(tasks)


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    tasks = prompts()
    print(f"{len(tasks)} prompts")
    cold = seconds_each(lambda _, prompt: dissect.__wrapped__(prompt), tasks)
    print(f"{'dissect':<14} {1 / cold:>9.0f} /s")
    print(f"{'audit':<14} {1 / seconds_each(lambda _, p: audit(p, p), tasks):>9.0f} /s")
    base = 0.0
    for name in names():
        each = seconds_each(
            lambda task, prompt, name=name: perturb(prompt, name, 0, task_id=task), tasks
        )
        base = base or each
        print(f"{name:<14} {1 / each:>9.0f} /s  x{each / base:.2f}")


if __name__ == "__main__":
    main()
