"""The quickstart suite: tasks that training never shows, with hidden tests.

`python -m pytest_coderobust.tiny.suite` writes `quickstart.jsonl` beside this file.
"""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path

from pytest_coderobust.tiny.composition import has_open_meaning, held_out_keys
from pytest_coderobust.tiny.families import FAMILIES
from pytest_coderobust.tiny.family import Composition, Family
from pytest_coderobust.tiny.hidden_tests import write_hidden_tests
from pytest_coderobust.tiny.sample import TrainingSample, compose

TASKS_FILE = Path(__file__).with_name("quickstart.jsonl")
TASKS_A_FAMILY = 2

_SEED = "quickstart 1"
UNSEEN = "phrasing:unseen"
"""The tag of tasks whose sentence template training never shows."""


@cache
def quickstart() -> tuple[TrainingSample, ...]:
    """Composes the suite's samples: two of every family, a fifth of all in unseen phrasing."""
    rng = random.Random(_SEED)
    samples: list[TrainingSample] = []
    for position, family in enumerate(FAMILIES):
        for turn, composition in enumerate(_compositions(family, rng)):
            # Two families in five ask their second task in words that training never used.
            unseen = turn == 1 and position % 5 in (1, 3)
            samples.append(compose(composition, rng, unseen))
    return tuple(samples)


def rows() -> list[dict[str, object]]:
    """Lists the tasks of the suite in HumanEval's form, with tags."""
    return [_row(number, sample) for number, sample in enumerate(quickstart())]


def write(path: Path = TASKS_FILE) -> None:
    """Writes the suite as JSON lines."""
    text = "".join(json.dumps(row) + "\n" for row in rows())
    path.write_text(text, encoding="utf-8")


def _compositions(family: Family, rng: random.Random) -> list[Composition]:
    every = list(family.compositions())
    if has_open_meaning(family):
        kept = [
            composition for composition in every if composition.key in held_out_keys(family.name)
        ]
        return kept[:TASKS_A_FAMILY]
    return [rng.choice(every) for _ in range(TASKS_A_FAMILY)]


def _row(number: int, sample: TrainingSample) -> dict[str, object]:
    return {
        "task_id": f"quickstart/{number}",
        "prompt": sample.prompt,
        "entry_point": sample.entry_point,
        "canonical_solution": sample.answer,
        "test": write_hidden_tests(sample),
        "tags": _tags(sample),
    }


def _tags(sample: TrainingSample) -> list[str]:
    family = sample.composition.family
    unseen = all(core.unseen for core in family.cores) or _is_unseen(sample)
    return [
        f"family:{family.name}",
        f"new:{'meaning' if has_open_meaning(family) else 'sentence'}",
        *([UNSEEN] if unseen else []),
        *(f"api:{name}" for name in sample.composition.apis),
    ]


def _is_unseen(sample: TrainingSample) -> bool:
    from pytest_coderobust.tiny.phrasing import templates

    seen = [core for core in sample.composition.family.cores if not core.unseen]
    return sample.sentence.mask not in templates(seen, unseen=False)


if __name__ == "__main__":
    write()
