"""A hand-made benchmark of migration: two changes, eight tasks about them, three beside them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_coderobust.models.scripted import Scripted
from pytest_coderobust.records import Row

SQRT = {"old": "math.sqrt", "new": "math.square_root"}
LEN = {"old": "len", "new": "length_of"}

ROOTS = ["x", "x + 1", "x * x", "x + 2"]
LENGTHS = ["x", "x + x", "x[1:]", "x * 3"]

SUITE = """
[suite]
name = "toy-migration"
tasks = "tasks.jsonl"
{suite}
[sampling]
max_new_tokens = {tokens}
{sampling}
[migration]
{migration}
"""


def make_task(
    name: str, subset: str, body: str, check: str, change: Mapping[str, str] | None = None
) -> dict[str, object]:
    """A row as the builder writes it; `body` uses the old name."""
    new = body
    if change:
        new = body.replace(f"{change['old']}(", f"{change['new']}(")
    row: dict[str, object] = {
        "task_id": name,
        "prompt": f'def f(x):\n    """Gives {name} of x."""\n',
        "canonical_solution": new,
        "entry_point": "f",
        "test": f"def check(candidate):\n    assert {check}\n",
        "tags": [f"subset:{subset}"],
    }
    if change:
        row |= {"canonical_before": body, "api_changes": [dict(change)]}
    return row


def make_rows() -> list[dict[str, object]]:
    """Two reliability and two generalisation tasks of each change, and three others."""
    rows: list[dict[str, object]] = []
    for place, text in enumerate(ROOTS):
        subset = "reliability" if place < 2 else "generalisation"
        body = f"    import math\n    return math.sqrt({text}) + {place}\n"
        value = f"candidate(4) == ({text.replace('x', '4')}) ** 0.5 + {place}"
        rows.append(make_task(f"root/{place}", subset, body, value, SQRT))
    for place, text in enumerate(LENGTHS):
        subset = "reliability" if place < 2 else "generalisation"
        length = len(eval(text, {"x": "abc"}))
        body = f"    return len({text}) + {place}\n"
        rows.append(
            make_task(f"length/{place}", subset, body, f"candidate('abc') == {length + place}", LEN)
        )
    for place in range(3):
        body = f"    return x + {place + 1}\n"
        rows.append(
            make_task(f"other/{place}", "specificity", body, f"candidate(2) == {place + 3}")
        )
    return rows


def write_suite(
    folder: Path,
    migration: str = "",
    *,
    rows: list[dict[str, object]] | None = None,
    suite: str = "",
    sampling: str = "",
    tokens: int = 32,
) -> Path:
    """Writes the benchmark; returns its suite file."""
    lines = "".join(json.dumps(row) + "\n" for row in rows or make_rows())
    (folder / "tasks.jsonl").write_text(lines, encoding="utf-8")
    path = folder / "suite.toml"
    text = SUITE.format(migration=migration, suite=suite, sampling=sampling, tokens=tokens)
    path.write_text(text, encoding="utf-8")
    return path


def answer_in_old_way(row: Row) -> str:
    """The canonical solution as it was before any change."""
    solution = row.variant.task.canonical or ""
    for change in (SQRT, LEN):
        solution = solution.replace(f"{change['new']}(", f"{change['old']}(")
    return solution


def answer_as_told(row: Row) -> str:
    """In the new way where a note tells of it; the last task of each change without the API."""
    name = row.variant.task.id
    if name == "root/3":
        return "    return (x + 2) ** 0.5 + 3\n"
    if name == "length/3":
        return "    return sum(1 for _ in x * 3\n"  # no program
    if "# Note:" in row.variant.prompt:
        return row.variant.task.canonical or ""
    return answer_in_old_way(row)


def scripted(
    answers: Callable[[Row], str] = answer_as_told, name: str = "told", batch_size: int = 32
) -> Scripted:
    """A model that answers by a function."""
    return Scripted(answers, name=name, batch_size=batch_size)
