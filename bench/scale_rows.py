"""Makes up what bench/scale.py fills a ledger with: a suite, completions, verdicts, observations."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_coderobust.engine.keys import make_completion_key
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.engine.variants import make_variant
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import KeyedBy
from pytest_coderobust.records import (
    Cell,
    Completion,
    Level,
    ModelIdentity,
    Observation,
    Row,
    Sampling,
    Square,
    Status,
    Task,
    Variant,
    Verdict,
    digest,
)

BATCH = 16
NAMES = ("C1", "C2", "C3", "W1", "W2", "W3", "S2", "S3", "paraphrase")
SEEDS = 5
SUITE = """[suite]
tasks = "tasks.jsonl"
perturbations = {names}
seeds = {seeds}
gates = ["rd <= 0.5", "pass@1 >= 0.1", {{ gate = "rd[C1] <= 0.6", confidence = 0.95 }}]
[sampling]
n = {samples}
temperature = 0.5
"""
WORDS = "return the sum of all numbers in list that are even and larger than given limit".split()  # noqa: SIM905
DETAIL = "AssertionError in: assert candidate([1, 2, 3]) == 6; f([1, 2, 3]) returned 5"


def write_suite(folder: Path, tasks: int, samples: int) -> None:
    """Writes a suite whose prompts have about 450 characters, as HumanEval's do."""
    source = random.Random(0)
    with (folder / "tasks.jsonl").open("w") as stream:
        for number in range(tasks):
            words = " ".join(source.choices(WORDS, k=80))
            row = {
                "task_id": f"Bench/{number}",
                "prompt": f'def f_{number}(x):\n    """{words.capitalize()}."""\n',
                "entry_point": f"f_{number}",
                "canonical_solution": f"    return x + {number}\n",
                "test": f"def check(candidate):\n    assert candidate(1) == {number + 1}\n",
            }
            stream.write(json.dumps(row) + "\n")
    names = json.dumps(NAMES)
    (folder / "suite.toml").write_text(SUITE.format(names=names, seeds=SEEDS, samples=samples))


class Absent:
    """A model that was asked everything before; asking it again is an error of ours."""

    identity = ModelIdentity("bench", digest("bench"))
    batch_size = BATCH
    keyed_by: KeyedBy = "prompt"

    def unavailable(self, variant: Variant, sampling: Sampling) -> str:  # noqa: ARG002
        return ""

    def prompt_length(self, prompt: str) -> int:
        return len(prompt)

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:  # noqa: ARG002
        raise AssertionError(f"{len(rows)} rows are missing in the ledger")

    def close(self) -> None:
        pass


def write_batch(
    measurement: Measurement,
    ledger: Ledger,
    tasks: Sequence[Task],
    cell: Cell,
    genuine: frozenset[Square],
    source: random.Random,
) -> None:
    plan, sampling = measurement.plan, measurement.sampling
    completions: dict[str, Completion] = {}
    verdicts: dict[str, Verdict] = {}
    observed: list[Callable[[], None]] = []
    for task in tasks:
        own = (task.id, cell) in genuine
        variant = make_variant(plan, task, cell) if own else make_up(task, cell)
        asked: list[str] = []
        judged: list[str] = []
        clean = 0 if int(task.id[6:]) % 5 == 0 else sampling.n
        good = clean and (sampling.n if cell.is_clean or source.random() < 0.7 else 0)
        for sample in range(0 if variant.skipped else sampling.n):
            words = " ".join(source.choices(WORDS, k=40))
            text = f"    # {words}\n    return x + {task.id[6:]}\n"
            completion = Completion(text, "eos", 60)
            key = make_completion_key(Absent(), variant, sampling, sample)
            verdict_key = (
                measurement._judge.key(measurement.check(variant.task, completion))  # noqa: SLF001
                if own
                else digest("verdict", key)
            )
            completions[key] = completion
            verdicts[verdict_key] = make_verdict(passes=sample < good)
            asked.append(key)
            judged.append(verdict_key)
        status = (
            Status.SKIPPED if variant.skipped
            else Status.UNSOLVED if not clean
            else Status.SOLVED if cell.is_clean
            else Status.ROBUST if good else Status.BROKEN
        )  # fmt: skip
        counts = (len(asked), good if asked else 0, sampling.n, clean) if asked else ()
        found = Observation(task.id, cell, status, *counts, reason=variant.skipped)

        def observe(
            found: Observation = found,
            prompt: str = variant.prompt,
            asked: list[str] = asked,
            judged: list[str] = judged,
        ) -> None:
            ledger.observe(
                measurement.run, found, prompt=prompt, completions=asked, verdicts=judged
            )

        observed.append(observe)
    ledger.add_completions(completions)
    ledger.add_verdicts(verdicts)
    for observe in observed:
        observe()


def make_up(task: Task, cell: Cell) -> Variant:
    """Makes a prompt of the length of a perturbed one, in no time."""
    prompt = (
        task.prompt if cell.is_clean else task.prompt.replace("numbers", f"nubmers{cell.label}", 1)
    )
    return Variant(task, cell, prompt)


def make_verdict(*, passes: bool) -> Verdict:
    if passes:
        return Verdict(Level.FULL, 7, 7, tier="ns", cpu_seconds=0.01)
    return Verdict(Level.PARTIAL, 3, 7, "wrong-answer", DETAIL, "ns", 0.01)
