"""Rows of training data in each format, made from the bundled model's generator."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from pytest_coderobust.tiny.corpus import training_samples
from pytest_coderobust.training.source import TINY_SEED


def alpaca_rows(count: int) -> list[dict[str, object]]:
    """Instructions with code in fences or in backticks, and answers in fences or bare."""
    rows: list[dict[str, object]] = []
    for number, sample in enumerate(training_samples(TINY_SEED, count)):
        head = sample.prompt.partition("\n")[0]
        prose = (
            f"{sample.sentence.text} Write the function `{sample.entry_point}` with this head: {head}",
            f"Complete the function below.\n\n```python\n{sample.prompt}```\nKeep its name.",
            f"{sample.sentence.text} The answer starts with `{head}` and has at most 20 lines.",
        )
        whole = f"{head}\n{sample.answer}"
        answers = (whole, f"Here it is:\n\n```python\n{whole}```\n")
        row: dict[str, object] = {"instruction": prose[number % 3], "output": answers[number % 2]}
        if number % 5 == 0:
            row["input"] = "the numbers are 3 and 14, called first_value and secondValue"
        rows.append(row)
    return rows


def message_rows(count: int) -> list[dict[str, object]]:
    return [
        {
            "messages": [
                {"role": "system", "content": "You answer with code alone, in 80 columns."},
                {"role": "user", "content": "Please remember that all my lists are sorted."},
                {"role": "assistant", "content": "I will remember it for every function."},
                {"role": "user", "content": str(row["instruction"])},
                {"role": "assistant", "content": str(row["output"])},
            ]
        }
        for row in alpaca_rows(count)
    ]


def write_rows(path: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read_lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
