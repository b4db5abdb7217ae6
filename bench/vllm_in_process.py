"""vLLM in this process against transformers, where vLLM is installed (a processor will do).

    python bench/vllm_in_process.py TASKS.jsonl [--model ./folder] [--rows 40] [--dtype float32]

Greedy: the texts, ends and token counts of as many prompts, from both engines. Seeded: each prompt's
draw alone and in one batch with the others. At float32 on a processor both must agree in every
row; elsewhere the script says how many do. It also says what freeing the device gave back.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pytest_coderobust.models.backend import Backend
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.models.vllm.engine import find_vllm_version
from pytest_coderobust.records import Cell, Completion, Row, Sampling, Variant
from pytest_coderobust.tasks.load import load_tasks

STOPS = ("\nclass ", "\ndef ", "\n#", "\n@", "\nprint", "\nassert ", ", ")
"""More than a server of vLLM takes (4)."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", type=Path)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--rows", type=int, default=40)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--dtype", default="auto")
    given = parser.parse_args()
    tasks = load_tasks(given.tasks.name, base=given.tasks.parent).tasks[: given.rows]
    rows = [Row(Variant(task, Cell(), task.prompt), 0, 7 * k + 1) for k, task in enumerate(tasks)]
    options = ModelOptions(dtype=given.dtype)
    own = open_backend(given.model, options=options)
    fast = open_backend(f"vllm:{given.model}", options=options)
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(
        f"vllm {find_vllm_version()}, "
        + ", ".join(f"{p} {version(p)}" for p in ("torch", "transformers"))
    )
    print("; ".join(f"{key} {value}" for key, value in fast.identity.facts.items()))
    exact = compare(own, fast, rows, given.tokens)
    before = used_memory()
    fast.close()
    print(f"memory of the accelerator: {before} MiB before close(), {used_memory()} MiB after")
    again, _ = timed(fast, rows[:1], Sampling(max_new_tokens=4))
    print(f"opened again after close(): {again[0].text!r}")
    fast.close()
    return 0 if exact or given.dtype not in ("auto", "float32") else 1


def compare(own: Backend, fast: Backend, rows: list[Row], tokens: int) -> bool:
    """Prints every comparison; returns whether all rows agree."""
    fine = True
    for name, sampling in (
        ("greedy", Sampling(max_new_tokens=tokens)),
        (f"greedy, {len(STOPS)} stops", Sampling(max_new_tokens=tokens, stop=STOPS)),
    ):
        here, seconds = timed(own, rows, sampling)
        there, faster = timed(fast, rows, sampling)
        same = [tell(a) == tell(b) for a, b in zip(here, there, strict=True)]
        ends = sorted({each.finish for each in here})
        print(
            f"{name}: {sum(same)}/{len(rows)} texts, ends and token counts equal ({'/'.join(ends)}); "
            f"transformers {seconds:.1f} s, vLLM {faster:.1f} s"
        )
        fine = fine and all(same)
    drawn = Sampling(temperature=0.8, top_p=0.95, max_new_tokens=tokens)
    together, _ = timed(fast, rows, drawn)
    alone = [fast.generate([row], drawn)[0] for row in rows]
    same = [tell(a) == tell(b) for a, b in zip(together, alone, strict=True)]
    other = [Row(row.variant, 1, row.noise + 1) for row in rows]
    moved = [tell(a) != tell(b) for a, b in zip(together, fast.generate(other, drawn), strict=True)]
    print(
        f"seeded: {sum(same)}/{len(rows)} alone equal to those in a batch; "
        f"{sum(moved)}/{len(rows)} differ under another seed"
    )
    return fine and all(same)


def timed(model: Backend, rows: list[Row], sampling: Sampling) -> tuple[list[Completion], float]:
    model.generate(rows[:1], Sampling(max_new_tokens=1))  # loads
    began = time.perf_counter()
    found = list(model.generate(rows, sampling))
    return found, time.perf_counter() - began


def tell(found: Completion) -> tuple[Any, ...]:
    return found.text, found.finish, found.tokens


def used_memory() -> int:
    import torch

    return torch.cuda.memory_reserved() // 2**20 if torch.cuda.is_available() else 0


if __name__ == "__main__":
    sys.exit(main())
