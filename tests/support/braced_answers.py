"""Recorded answers to HumanEval-X that are made of canonical solutions, some with a seeded fault.

No model's answers to HumanEval-X are at hand, so these stand in for them: they are what a model
writes (a body, then more text), with faults whose verdict is known by construction.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from pytest_coderobust.records import Task

Square = tuple[str, str, int, int]
"""Task id, perturbation, seed, sample."""

TAILS = {
    "cpp": "\n\nint main() {\n    return 0; // }\n",
    "java": "\n\npublic class Main {\n    /* } */\n    public static void main(String[] args) {\n",
}
Fault = Callable[[str, str], str]
"""Makes a faulty answer of a canonical body and its language."""

THROWS = {
    "cpp": "    throw 1;\n}\n",
    "java": "        throw new IllegalStateException();\n    }\n}\n",
}
FAULTS: dict[str, Fault] = {
    "torn": lambda body, _: body[: body.index("\n") + 1] + "    if (",  # no compiler takes it
    "unknown": lambda body, _: "    noSuchFunction();\n" + body,
    "throws": lambda _, language: THROWS[language],
}
SHARE = 0.3


def make_answers(
    tasks: Iterable[Task], perturbations: Sequence[str], samples: int, seed: int
) -> tuple[list[dict[str, object]], dict[Square, bool]]:
    """Makes rows for a replay, and says of each square whether its answer passes."""
    rows, right = list[dict[str, object]](), dict[Square, bool]()
    for task in tasks:
        for place, perturbation in enumerate(("clean", *perturbations)):
            for sample in range(samples):
                square = (task.id, perturbation, 0, sample)
                draw = random.Random(f"{seed} {square}")
                good = draw.random() >= SHARE * (1 + place / 4)
                fault = "" if good else draw.choice(sorted(FAULTS))
                body = str(task.canonical)
                body = f'    // {perturbation}, {sample}: {{ "\n{body}'  # no two programs are equal
                text = FAULTS[fault](body, task.language) if fault else body
                right[square] = good
                rows.append(
                    {
                        "task_id": task.id,
                        "perturbation": perturbation,
                        "seed": 0,
                        "sample": sample,
                        "completion": text if fault == "torn" else text + TAILS[task.language],
                    }
                )
    return rows, right


def write_answers(path: Path, rows: Iterable[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
