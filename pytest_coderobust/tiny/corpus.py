"""The training text: samples drawn from every family, none of which the suite asks for."""

from __future__ import annotations

import random
from collections.abc import Iterator

from pytest_coderobust.tiny.composition import held_out
from pytest_coderobust.tiny.families import FAMILIES
from pytest_coderobust.tiny.family import Composition, Family
from pytest_coderobust.tiny.sample import TrainingSample, compose
from pytest_coderobust.tiny.suite import quickstart

_LONGEST = 560
"""Characters of a sample; the few longer ones, with endless examples, would cost the most."""


def training_samples(seed: int, size: int) -> Iterator[TrainingSample]:
    """`size` samples, the same ones for the same seed; a shorter corpus begins a longer one."""
    rng = random.Random(f"tiny corpus {seed}")
    taken = {(sample.composition.key, sample.sentence.wording) for sample in quickstart()}
    drawn = 0
    while drawn < size:
        composition = _draw(rng.choices(FAMILIES, _WEIGHTS)[0], rng)
        sample = compose(composition, rng)
        known = (composition.key, sample.sentence.wording) in taken
        if not known and len(sample.prompt) + len(sample.answer) <= _LONGEST:
            drawn += 1
            yield sample


def _weight(family: Family) -> float:
    """More parts need more samples."""
    return 1.0 + 0.5 * min(len(family.parts), 2)


_WEIGHTS = [_weight(family) for family in FAMILIES]


def _draw(family: Family, rng: random.Random) -> Composition:
    """A composition of the family that is not held out."""
    while True:
        composition = Composition(family, tuple(part.draw(rng) for part in family.parts))
        if composition.key not in held_out(family.name):
            return composition
