"""What a family of tasks is: arguments, parts that vary, ways to say it, and the code that does it.

A family is written as data. Its `say` block holds one core a line:

    the sum of the {some} in {A}        a result: what comes back
    ! add up the {some} in {A}          an action: what to do
    ? every {number} in {A} {is}        a claim: what to check
    * the {some} in {A} added together  an unseen core: only the suite uses it

`{slot}` in prose is filled by a part, by the lexicon or by an argument; `$slot` in code by a part
or an argument (code is full of braces).
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
        key: unique in its part; what stands before a colon is its group ("greater:7").
        prose: slot -> the ways to say it.
        code: slot -> the source that means it.
        hints: values that inputs should often hold, so that the choice matters.
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
        fair: a value that this family never showed in training is still fair to ask, because
            other values of the part (numbers, letters) or other families teach it.
    """

    name: str
    choices: tuple[Choice, ...]
    fair: bool = False

    def draw(self, rng: random.Random) -> Choice:
        """A choice: first a group, so that a group of twenty numbers weighs as much as one word."""
        groups = list(dict.fromkeys(choice.group for choice in self.choices))
        group = rng.choice(groups)
        return rng.choice([choice for choice in self.choices if choice.group == group])


@dataclass(frozen=True, slots=True)
class Core:
    """The heart of a sentence, before a frame makes a sentence of it."""

    form: PhraseForm
    text: str
    unseen: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """Tasks that share their arguments and their code but for the parts.

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
        """Every combination of choices, in a fixed order."""
        for choices in product(*(part.choices for part in self.parts)):
            yield Composition(self, choices)


@dataclass(frozen=True, slots=True)
class Composition:
    """A family with every part chosen: one meaning, whatever the words."""

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
    """A family from its compact form: argument kinds split by blanks, one core a line."""
    return Family(name, tuple(arguments.split()), body, cores(say), parts, slots or {}, api)


def cores(say: str) -> tuple[Core, ...]:
    """The cores of a `say` block."""
    found: list[Core] = []
    for line in filter(None, map(str.strip, say.splitlines())):
        unseen = line.startswith("*")
        text = line.removeprefix("*").strip()
        form = _FORMS.get(text[0], "result")
        found.append(Core(form, text.lstrip("!? "), unseen))
    return tuple(found)


def option(key: str, code: str, *says: str, slot: str = "op", api: str = "") -> Choice:
    """A choice with one slot: `{slot}` in prose, `$slot` in code."""
    return Choice(key, {slot: says}, {slot: code}, api=api)


def choose(*options: Choice, name: str = "op", fair: bool = False) -> FamilyPart:
    """A part of hand-written options."""
    return FamilyPart(name, options, fair)


def number(name: str, values: Iterable[int]) -> FamilyPart:
    """A part that is a number, written in digits in prose and in code."""
    return FamilyPart(name, tuple(_literal(name, str(v), v) for v in values), fair=True)


def quoted(name: str, texts: Iterable[str]) -> FamilyPart:
    """A part that is a string literal, the same in prose and in code."""
    return FamilyPart(name, tuple(_literal(name, repr(t), t) for t in texts), fair=True)


def _literal(name: str, text: str, hint: Hint) -> Choice:
    return Choice(f"{name}:{text}", {name: (text,)}, {name: text}, (hint,))
