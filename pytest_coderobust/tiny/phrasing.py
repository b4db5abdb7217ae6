"""Sentences: a core in a frame, with its slots filled with words.

The *mask* of a sentence is its template with a blank for every slot. A sentence has "unseen
phrasing" if training has no sentence with the same mask.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_coderobust.tiny.family import Composition, Core
from pytest_coderobust.tiny.lexicon import FRAMES, SYNONYMS, UNSEEN_FRAMES
from pytest_coderobust.tiny.values import KINDS

_SLOT = re.compile(r"\{(\w+)\}")
_ARGUMENT = "abc"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and the mask of its template.

    Attributes:
        wording: the sentence with its arguments still written {a}, {b}. It is equal for two
            samples that differ only in the names of their arguments.
    """

    text: str
    mask: str
    wording: str


def phrase(
    composition: Composition, names: Sequence[str], rng: random.Random, unseen: bool = False
) -> Sentence:
    """Draws a sentence that asks for `composition`.

    Args:
        names: the names of the arguments.
        unseen: takes a core that training never uses, in a frame that training may use or not.
    """
    cores = [core for core in composition.family.cores if core.unseen == unseen]
    core = rng.choice(cores)
    frames = FRAMES[core.form]
    if unseen and rng.random() < 0.5:
        frames = UNSEEN_FRAMES[core.form]
    template = rng.choice(frames).replace("{core}", core.text)
    words = _fill(template, _slots(composition), rng)
    text = _SLOT.sub(lambda match: names[_ARGUMENT.index(match[1])], words)
    return Sentence(_tidy(text), mask(template), _tidy(words))


def templates(cores: Sequence[Core], unseen: bool) -> set[str]:
    """Collects the masks of every sentence that these cores can become in one kind of frames."""
    frames = UNSEEN_FRAMES if unseen else FRAMES
    return {
        mask(frame.replace("{core}", core.text)) for core in cores for frame in frames[core.form]
    }


def mask(template: str) -> str:
    """Replaces every slot of a template by a blank."""
    return _SLOT.sub("_", template)


def _slots(composition: Composition) -> dict[str, tuple[str, ...]]:
    """Maps every slot of a sentence, except the bare arguments, to the words that may fill it.

    Where a slot has several sources, the family wins over its parts, and they win over synonyms.
    """
    kinds = [KINDS[kind] for kind in composition.family.arguments]
    shapes = [kind.shape for kind in kinds]
    found = dict(SYNONYMS)
    for name, kind in zip(_ARGUMENT, kinds, strict=False):
        # A noun alone ("the list") is clear only if no other argument has the same shape.
        bare = f"{{{name}}}"
        nouns = (bare, *(f"{noun} {bare}" for noun in kind.nouns[:1]))
        alone = kind.nouns if shapes.count(kind.shape) == 1 else ()
        found[name.upper()] = (*nouns, bare, *alone)
    found["given"] = _given(composition)
    for choice in composition.choices:
        found.update(choice.prose)
    return {**found, **composition.family.slots}


def _given(composition: Composition) -> tuple[str, ...]:
    kinds = [KINDS[kind].given for kind in composition.family.arguments]
    if len(kinds) == 1:
        return (*kinds[0], *(f"{given} {{a}}" for given in kinds[0]))
    return tuple(f"{one} {{a}} and {other} {{b}}" for one in kinds[0] for other in kinds[1])


def _fill(template: str, slots: Mapping[str, tuple[str, ...]], rng: random.Random) -> str:
    """Fills slots inside slots until only the bare arguments are left."""
    while True:
        filled = _SLOT.sub(
            lambda match: rng.choice(slots[match[1]]) if match[1] in slots else match[0], template
        )
        if filled == template:
            return filled
        template = filled


def _tidy(text: str) -> str:
    """Puts one space between words and a capital at the start."""
    text = " ".join(text.split())
    return text[0].upper() + text[1:]
