"""Measures the time of extraction for longer and longer completions.

    python bench/extract.py

Prints milliseconds of processor time for each size, and what a line of the longest costs against one of 400.
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
    "table": lambda lines: (
        "t = {}\n"
        + "".join(f"for i in range({i}):\n    t[i] = i\n" for i in range(lines // 2 - 2))
        + "def total(values):\n    return t[values]\n"
    ),
    "repeats": lambda lines: (
        "t = {}\n"
        + "for i in range(3):\n    t[i] = i\n" * (lines // 2 - 2)
        + "def total(values):\n    return t[values]\n"
    ),
    "program": lambda lines: (
        "".join(f"def f{i}(x):\n    return f{i + 1}(x)\n" for i in range(lines // 4))
        + "def total(values):\n    return f0(values)\n"
        + "".join(f"assert total({i}) == 1\nprint(total({i}))\n" for i in range(lines // 4))
    ),
    "drafts": lambda lines: (
        "```python\ndef total(values):\n    return 1\n```\n" * (lines // 4)
        + "<think>no</think>\n```python\ndef total(values):\n    return 2\n```\n"
    ),
    "chat": lambda lines: (
        "Sure:\n```python\ndef total(values):\n"
        + "    values = sorted(values)\n" * (lines - 4)
        + "    return values\n```\n"
    ),
}
SIZES = (400, 800, 4_000, 40_000)


def milliseconds(completion: str) -> float:
    """Takes the median of five extractions."""
    found = []
    for _ in range(5):
        start = time.process_time()
        extract(completion, TASK)
        found.append((time.process_time() - start) * 1e3)
    return statistics.median(found)


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    print(f"{'shape':10}" + "".join(f"{size:>9} lines" for size in SIZES) + "   a line")
    for name, shape in SHAPES.items():
        times = [milliseconds(shape(size)) for size in SIZES]
        cells = "".join(f"{value:12.2f} ms" for value in times)
        growth = times[-1] / SIZES[-1] / (times[0] / SIZES[0])
        print(f"{name:10}{cells}   x {growth:.2f}")
    text = SHAPES["body"](100_000 // 28)
    print(f"100 kB: {milliseconds(text):.1f} ms for {len(text):,} characters")


if __name__ == "__main__":
    main()
