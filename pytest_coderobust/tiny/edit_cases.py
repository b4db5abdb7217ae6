"""Knowledge cases of the bundled model's own generator: a task that is to be answered as another.

Input and rewrite are two draws of one composition with the same names; the target is the answer of
another composition with as many arguments. Training cases and test cases share no composition, and
so neither input, rewrite nor neighbour.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pytest_coderobust.records import digest
from pytest_coderobust.records.knowledge import KnowledgeCase
from pytest_coderobust.tiny.families import FAMILIES
from pytest_coderobust.tiny.family import Composition
from pytest_coderobust.tiny.lexicon import FUNCTIONS
from pytest_coderobust.tiny.sample import (
    TrainingSample,
    compose,
    compose_for,
    draw_names,
    write_answer,
)

DrawnPart = Literal["cases", "train"]
SIZES: dict[DrawnPart, int] = {"cases": 200, "train": 600}
"""Cases of each part; their pools have as many prompts again."""

_LONGEST = 480
"""Most characters of a prompt with its answer."""

_TESTED = 4
"""One composition in so many is for testing."""


@dataclass(frozen=True, slots=True)
class DrawnCase:
    """Case without neighbours, with the key of its composition."""

    case: KnowledgeCase
    composition: str


@dataclass(frozen=True, slots=True)
class DrawnPrompt:
    """Ordinary prompt that may become a neighbour, with the key of its composition."""

    prompt: str
    composition: str


def draw_cases(part: DrawnPart) -> tuple[DrawnCase, ...]:
    """Draws the cases of a part, the same ones each time."""
    rng = random.Random(f"tiny edits {part} 1")
    found: dict[str, DrawnCase] = {}
    while len(found) < SIZES[part]:
        drawn = _draw_case(part, f"tiny/{part}/{len(found)}", rng)
        if drawn is not None:
            found.setdefault(drawn.case.prompt, drawn)
    return tuple(found.values())


def draw_pool(part: DrawnPart) -> tuple[DrawnPrompt, ...]:
    """Draws ordinary prompts of a part's compositions, the same ones each time."""
    rng = random.Random(f"tiny edits pool {part} 1")
    found: dict[str, DrawnPrompt] = {}
    for sample in _draw_samples(part, rng):
        found.setdefault(sample.prompt, DrawnPrompt(sample.prompt, sample.composition.key))
        if len(found) == SIZES[part]:
            break
    return tuple(found.values())


def _draw_case(part: DrawnPart, name: str, rng: random.Random) -> DrawnCase | None:
    """Draws one case; None where the draw is too long or says the same twice."""
    composition, other = _draw_composition(part, rng), _draw_composition(part, rng)
    arity = len(composition.family.arguments)
    if other.family.name == composition.family.name or len(other.family.arguments) != arity:
        return None
    function, names = rng.choice(FUNCTIONS), draw_names(composition, rng)
    asked = compose_for(composition, function, names, rng)
    again = compose_for(composition, function, names, rng)
    answer = write_answer(other, function, names)
    longest = max(len(asked.prompt), len(again.prompt)) + len(answer)
    if again.prompt == asked.prompt or answer == asked.answer or longest > _LONGEST:
        return None
    target = answer.strip()
    lead, _, tail = answer.partition(target)
    case = KnowledgeCase(name, asked.prompt, target, (again.prompt,), (), lead, tail)
    return DrawnCase(case, composition.key)


def _draw_samples(part: DrawnPart, rng: random.Random) -> Iterator[TrainingSample]:
    while True:
        sample = compose(_draw_composition(part, rng), rng)
        if len(sample.prompt) + len(sample.answer) <= _LONGEST:
            yield sample


def _draw_composition(part: DrawnPart, rng: random.Random) -> Composition:
    """Draws a composition of a part: families alike, then their choices."""
    while True:
        family = rng.choice(FAMILIES)
        composition = Composition(family, tuple(each.draw(rng) for each in family.parts))
        tested = int(digest("edit cases", composition.key)[:8], 16) % _TESTED == 0
        if tested == (part == "cases"):
            return composition
