"""Families of tasks: their arguments, the parts that vary, their sentences and their code.

A family is written as data. Its `say` block has one core on each line:

    the sum of the {some} in {A}        a result, which the function returns
    ! add up the {some} in {A}          an action, which the function does
    ? every {number} in {A} {is}        a claim, which the function checks
    * the {some} in {A} added together  an unseen core, which only the suite uses

A part, the lexicon or an argument fills `{slot}` in prose. A part or an argument fills `$slot` in
code, which has another mark because code is full of braces.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

PhraseForm = Literal["result", "action", "claim"]
Hint = int | str
WordSlots = Mapping[str, tuple[str, ...]]

_FORMS: Mapping[str, PhraseForm] = {"!": "action", "?": "claim"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a part.

    Attributes:
        key: unique in its part; the text before a colon is its group ("greater:7").
        prose: the ways to say it, by slot.
        code: the source that means it, by slot.
        hints: values that inputs should often have, so that the choice matters.
        api: the module function that the code calls, or "".
    """

    key: str
    prose: WordSlots
    code: Mapping[str, str]
    hints: tuple[Hint, ...] = ()
    api: str = ""

    @property
    def group(self) -> str:
        return self.key.partition(":")[0]


@dataclass(frozen=True, slots=True)
class FamilyPart:
    """One thing that varies in a family.

    Attributes:
        fair: True if the suite may ask for a value that this family never showed in training,
            because other values of the part (numbers, letters) or other families teach it.
    """

    name: str
    choices: tuple[Choice, ...]
    fair: bool = False

    def draw(self, rng: random.Random) -> Choice:
        """Draws a group, then a choice of it: twenty numbers of one group weigh as one word."""
        groups = list(dict.fromkeys(choice.group for choice in self.choices))
        group = rng.choice(groups)
        return rng.choice([choice for choice in self.choices if choice.group == group])


@dataclass(frozen=True, slots=True)
class Core:
    """The words of a sentence that say what to do; a frame makes a whole sentence of them."""

    form: PhraseForm
    text: str
    unseen: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """Tasks that have the same arguments and the same code except for the parts.

    Attributes:
        arguments: the kind of each argument (see `values`).
        body: the function's body, unindented, with `$a`, `$b` for the arguments.
        slots: prose slots of this family alone.
        api: the module function that every body calls, or "".
    """

    name: str
    arguments: tuple[str, ...]
    body: str
    cores: tuple[Core, ...]
    parts: tuple[FamilyPart, ...] = ()
    slots: WordSlots = field(default_factory=dict[str, tuple[str, ...]])
    api: str = ""

    def compositions(self) -> Iterator[Composition]:
        """Yields every combination of choices in a fixed order."""
        for choices in product(*(part.choices for part in self.parts)):
            yield Composition(self, choices)


@dataclass(frozen=True, slots=True)
class Composition:
    """A family with a choice for every part: one meaning, which many sentences can say."""

    family: Family
    choices: tuple[Choice, ...]

    @property
    def key(self) -> str:
        return "/".join((self.family.name, *(choice.key for choice in self.choices)))

    @property
    def hints(self) -> tuple[Hint, ...]:
        return tuple(hint for choice in self.choices for hint in choice.hints)

    @property
    def apis(self) -> tuple[str, ...]:
        """The module functions that the code calls."""
        names = (self.family.api, *(choice.api for choice in self.choices))
        return tuple(name for name in names if name)


def family(
    name: str,
    arguments: str,
    body: str,
    say: str,
    *parts: FamilyPart,
    slots: WordSlots | None = None,
    api: str = "",
) -> Family:
    """Makes a family of its compact form: argument kinds split by blanks, a core on each line."""
    return Family(name, tuple(arguments.split()), body, cores(say), parts, slots or {}, api)


def cores(say: str) -> tuple[Core, ...]:
    """Reads the cores of a `say` block."""
    found: list[Core] = []
    for line in filter(None, map(str.strip, say.splitlines())):
        unseen = line.startswith("*")
        text = line.removeprefix("*").strip()
        form = _FORMS.get(text[0], "result")
        found.append(Core(form, text.lstrip("!? "), unseen))
    return tuple(found)


def option(key: str, code: str, *says: str, slot: str = "op", api: str = "") -> Choice:
    """Makes a choice with one slot: `{slot}` in prose, `$slot` in code."""
    return Choice(key, {slot: says}, {slot: code}, api=api)


def choose(*options: Choice, name: str = "op", fair: bool = False) -> FamilyPart:
    """Makes a part of hand-written options."""
    return FamilyPart(name, options, fair)


def number(name: str, values: Iterable[int]) -> FamilyPart:
    """Makes a part that is a number, written in digits in prose and in code."""
    return FamilyPart(name, tuple(_literal(name, str(v), v) for v in values), fair=True)


def string(name: str, texts: Iterable[str]) -> FamilyPart:
    """Makes a part that is a string literal, the same in prose and in code."""
    return FamilyPart(name, tuple(_literal(name, repr(t), t) for t in texts), fair=True)


def _literal(name: str, text: str, hint: Hint) -> Choice:
    return Choice(f"{name}:{text}", {name: (text,)}, {name: text}, (hint,))
