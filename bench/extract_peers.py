"""Compares extraction with EvalPlus' sanitizer: which solutions pass the tests of their task.

    pip install --target PEERS evalplus tree-sitter tree-sitter-python tqdm
    CODEROBUST_DATA=DATA python bench/extract_peers.py PEERS

Reads HumanEval's recorded completions, and chats generated around its canonical solutions, in which
the answer is right and every draft or sketch is wrong. Every solution is judged in the sandbox; of a
completion, raw (prompt + completion, nothing cut) says what plain Python makes of it. Prints who
passes what, and the rows that one side loses. EvalPlus reads every part of a text that may be a
program, so its time grows with the cube of the lines: `--limit` takes a sample of the completions.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Sequence
from multiprocessing import Pool
from pathlib import Path

from answer_block import make_wrong_codes

from pytest_coderobust.models.extraction.solution import extract
from pytest_coderobust.records import AnswerReading, Task
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.tasks.load import load_tasks

Row = tuple[str, Task, str]
"""Kind, task and text."""

COMPLETIONS = "completions/humaneval_codegen16b_t0.8_n10.jsonl.gz"


def make_fence(code: str) -> str:
    return f"```python\n{code}```\n"


def list_kinds(task: Task) -> dict[str, str]:
    """Lists chats of one task by kind; the last answer is its canonical solution."""
    right = make_fence(task.prompt + (task.canonical or ""))
    wrong = make_wrong_codes(task)
    draft = make_fence(wrong["stub"])
    other = make_fence(wrong["wrong"])
    name = task.entry_point
    inner = re.sub(rf"\b{name}\b", "_inner", task.prompt + (task.canonical or ""))
    return {
        "block": f"Here it is:\n{right}It is linear.\n",
        "draft, then answer": f"First try:\n{draft}That is wrong. Corrected:\n{right}",
        "answer, then a wrong sketch": f"{right}A sketch of the idea:\n{draft}",
        "wrong draft, then answer": f"First try:\n{other}That is wrong. Corrected:\n{right}",
        "answer, then another wrong one": f"{right}A naive version would be:\n{other}",
        "answer, then usage": f"{right}Use it:\n{make_fence(f'print({name}(1))' + chr(10))}",
        "thought": f"<think>\nMaybe\n{draft}no.\n</think>\n\n{right}",
        "thought, tag in the template": f"Maybe\n{draft}no.\n</think>\n\n{right}",
        "wrapped": make_fence(
            f"{task.prompt}{task.canonical}\nfrom functools import wraps\n{name} = wraps({name})({name})\n"
        ),
        "limit set": make_fence(
            f"import sys\nsys.setrecursionlimit(5000)\n{task.prompt}{task.canonical}"
        ),
        "table filled": make_fence(
            f"{inner}\nTABLE = {{}}\nfor _ in range(1):\n    TABLE[0] = _inner\n\n"
            f"def {name}(*args):\n    return TABLE[0](*args)\n"
        ),
        "bound by a lambda": make_fence(f"{inner}\n{name} = lambda *args: _inner(*args)\n"),
    }


def make_solutions(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Makes the solutions of each side."""
    return {
        "raw": [extract(text, task, "raw") for _, task, text in rows],
        "first": [extract(text, task, reading=AnswerReading("first")) for _, task, text in rows],
        "last": [extract(text, task) for _, task, text in rows],
        "evalplus": sanitize_all(rows),
    }


def sanitize_all(rows: Sequence[Row]) -> list[str]:
    """Runs the sanitizer on prompt and completion, or on the chat alone, as EvalPlus does."""
    with Pool(2) as pool:
        whole = [
            (text if kind else task.prompt + text, task.entry_point) for kind, task, text in rows
        ]
        return pool.starmap(_sanitize, whole, chunksize=4)


def _sanitize(text: str, entry_point: str) -> str:
    from evalplus.sanitize import sanitize  # pyright: ignore

    try:
        return str(sanitize(text, entry_point))
    except Exception:  # noqa: BLE001 - its parser's errors are an empty answer
        return ""


def judge(rows: Sequence[Row], solutions: Sequence[str]) -> list[bool]:
    with open_sandbox(2) as sandbox:
        futures = [
            sandbox.submit(Check(solution, task.entry_point, task.tests))
            for (_, task, _), solution in zip(rows, solutions, strict=True)
        ]
        return [future.result().full for future in futures]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peers", help="the folder that EvalPlus is installed in", nargs="+")
    parser.add_argument("--limit", type=int, default=0, help="completions, drawn by seed 0 (all)")
    parser.add_argument("--tasks", type=int, default=20, help="tasks that chats are made of (20)")
    options = parser.parse_args()
    sys.path[:0] = options.peers
    data = Path(os.environ["CODEROBUST_DATA"])
    tasks = {task.id: task for task in load_tasks("humaneval", base=data).tasks}
    rows = read_completions(data, tasks, options.limit)
    chosen = random.Random(0).sample(sorted(tasks), options.tasks)
    rows += [(kind, tasks[n], text) for n in chosen for kind, text in list_kinds(tasks[n]).items()]
    passed = {name: judge(rows, found) for name, found in make_solutions(rows).items()}
    report(rows, passed)


def read_completions(data: Path, tasks: dict[str, Task], limit: int) -> list[Row]:
    with gzip.open(data / COMPLETIONS, "rt", encoding="utf-8") as lines:
        rows = [("", tasks[row["task_id"]], row["completion"]) for row in map(json.loads, lines)]
    return random.Random(0).sample(rows, limit) if limit else rows


def report(rows: Sequence[Row], passed: dict[str, list[bool]]) -> None:
    kinds = Counter(kind for kind, _, _ in rows)
    print(f"{'kind':30}{'rows':>6}" + "".join(f"{name:>10}" for name in passed))
    for kind, count in kinds.items():
        at = [place for place, row in enumerate(rows) if row[0] == kind]
        cells = "".join(f"{sum(found[a] for a in at):10}" for found in passed.values())
        print(f"{kind or 'recorded completions':30}{count:6}{cells}")
    for loser, winner in (("last", "raw"), ("last", "evalplus"), ("evalplus", "last")):
        lost = [
            f"{task.id} {kind}".strip()
            for (kind, task, _), ours, theirs in zip(
                rows, passed[loser], passed[winner], strict=True
            )
            if theirs and not ours
        ]
        print(f"{loser} loses {len(lost)} that {winner} passes: {', '.join(lost[:8])}")


if __name__ == "__main__":
    main()
