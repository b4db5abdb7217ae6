"""Measures the time of extraction for longer and longer completions.

    python bench/extract.py

Prints milliseconds for each size, and the ratio of the last doubling.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from pytest_coderobust.models.extraction.solution import extract
from pytest_coderobust.records import Task, Tests

PROMPT = 'def total(values):\n    """Add them up."""\n'
TASK = Task("T/0", PROMPT, "total", Tests("", "asserts"))

SHAPES: dict[str, Callable[[int], str]] = {
    "body": lambda lines: "    values = sorted(values)\n" * (lines - 1) + "    return values\n",
    "helpers": lambda lines: (
        "    return f0(values)\n"
        + "".join(f"def f{i}(x):\n    return f{i + 1}(x)\n" for i in range(lines // 2))
    ),
    "prose": lambda lines: "    return 1\n" + "It isn't (Python any more.\n" * (lines - 1),
    "broken": lambda lines: "    x = 1\n" + "    x = (\n    y y\n" * (lines // 2),
    "chat": lambda lines: (
        "Sure:\n```python\ndef total(values):\n"
        + "    values = sorted(values)\n" * (lines - 4)
        + "    return values\n```\n"
    ),
}
SIZES = (100, 200, 400, 800, 1600, 3200)


def milliseconds(completion: str) -> float:
    """Takes the median of five extractions."""
    found = []
    for _ in range(5):
        start = time.perf_counter()
        extract(completion, TASK)
        found.append((time.perf_counter() - start) * 1e3)
    return statistics.median(found)


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    print(f"{'shape':10}" + "".join(f"{size:>9} lines" for size in SIZES) + "   last doubling")
    for name, shape in SHAPES.items():
        times = [milliseconds(shape(size)) for size in SIZES]
        cells = "".join(f"{value:12.2f} ms" for value in times)
        print(f"{name:10}{cells}   x {times[-1] / times[-2]:.2f}")
    text = SHAPES["body"](100_000 // 28)
    print(f"100 kB: {milliseconds(text):.1f} ms for {len(text):,} characters")


if __name__ == "__main__":
    main()
