"""The training text: samples of every family, except those that the suite asks for."""

from __future__ import annotations

import random
from collections.abc import Iterator

from pytest_coderobust.tiny.composition import held_out_keys
from pytest_coderobust.tiny.families import FAMILIES
from pytest_coderobust.tiny.family import Composition, Family
from pytest_coderobust.tiny.sample import TrainingSample, compose
from pytest_coderobust.tiny.suite import quickstart

_LONGEST = 560
"""Most characters of a sample. The few longer ones have very long examples and cost the most."""


def training_samples(seed: int, size: int) -> Iterator[TrainingSample]:
    """Yields `size` samples, the same ones for the same seed.

    A shorter corpus is the beginning of a longer one.
    """
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
    """Weighs a family by its number of parts: more parts need more samples."""
    return 1.0 + 0.5 * min(len(family.parts), 2)


_WEIGHTS = [_weight(family) for family in FAMILIES]


def _draw(family: Family, rng: random.Random) -> Composition:
    """Draws a composition of the family that is not held out."""
    while True:
        composition = Composition(family, tuple(part.draw(rng) for part in family.parts))
        if composition.key not in held_out_keys(family.name):
            return composition
