"""Measures whether an edit by CREME for one misspelled word carries over to other prompts of `tiny`.

    python bench/misspellings.py [--requests 10] [--rate 0.0005 0.005]

First it finds the broken prompts that break by one of C1's misspelled words alone. Then it edits the
model for one such word at a time and asks broken prompts of *other* tasks, greedily: with the same
misspelling of the same word, with another misspelling of that word, and with other misspelled words.
A placebo of equal norm is measured next to each edit. A misspelling is planted in clean prompts, and
those that break by it are asked.
"""

from __future__ import annotations

import argparse
import random
import re
import string
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.editors_field import Field, Prompts, measuring

from pytest_coderobust.editors.edited_model import edited, placebo
from pytest_coderobust.editors.protocol import EditRequest
from pytest_coderobust.editors.registry import parse_edit

WORD = re.compile(r"[A-Za-z]+")
KINDS = ("its own", "same misspelling", "same word", "other words")


@dataclass(frozen=True, slots=True)
class Slip:
    """A clean prompt with one word misspelled."""

    task: str
    word: str
    wrong: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Case:
    """A request with one misspelled word, and the broken prompts of each kind."""

    request: EditRequest
    groups: tuple[Prompts, ...]


def slips(field: Field, name: str) -> list[Slip]:
    """Lists the words that C1 changed in a prompt, each as the only misspelling."""
    clean, perturbed = field.clean[name], field.perturbed[name]
    found = [
        Slip(name, clean[a:b], perturbed[a:b], clean[:a] + perturbed[a:b] + clean[b:])
        for a, b in (match.span() for match in WORD.finditer(clean))
    ]
    return [slip for slip in found if slip.word != slip.wrong]


def plant(field: Field, word: str, skip: str, wrong: Callable[[], str]) -> Prompts:
    """Misspells the first such word in the prose of other tasks; returns the prompts that break."""
    found: list[tuple[str, str]] = []
    for name in field.solved:
        text = field.clean[name]
        place = re.compile(rf"\b{word}\b").search(text, text.index('"""'), text.index(">>>"))
        if place and name != skip:
            found.append((name, text[: place.start()] + wrong() + text[place.end() :]))
    return field.breaking(found)


def misspell(word: str, unlike: str, rng: random.Random) -> str:
    while True:
        at = rng.randrange(len(word))
        made = word[:at] + rng.choice(string.ascii_lowercase) + word[at + 1 :]
        if made not in (word, unlike):
            return made


def cases(field: Field, deciding: Sequence[Slip]) -> Iterator[Case]:
    """Yields one case per word for which at least three other tasks break by the misspelling."""
    rng = random.Random(1)
    seen: set[str] = set()
    for slip in random.Random(0).sample(deciding, len(deciding)):
        word = slip.word.lower()
        if word in seen or len(word) < 4:
            continue
        same = plant(field, slip.word, slip.task, partial(str, slip.wrong))
        if len(same) < 3:
            continue
        seen.add(word)
        another = partial(misspell, slip.word, slip.wrong, rng)
        again = [each for _ in range(2) for each in plant(field, slip.word, slip.task, another)]
        rest = [
            (each.task, each.prompt)
            for each in deciding
            if each.task != slip.task and each.word.lower() != word
        ]
        own = [(slip.task, slip.prompt)]
        request = field.request(slip.task, slip.prompt)
        yield Case(request, (own, same[:30], again[:30], rest[:40]))


def show(field: Field, chosen: Sequence[Case], rate: float) -> None:
    spec = parse_edit(f"creme:layer=0,lr={rate}")
    rows: dict[str, list[list[bool]]] = {name: [[] for _ in KINDS] for name in ("edit", "placebo")}
    for case in chosen:
        with edited(field.model, spec, [case.request]) as model:
            for total, group in zip(rows["edit"], case.groups, strict=True):
                total += field.passing(group, model)
            change, identity = model.change, model.identity
        with placebo(field.model, change, identity, 0) as model:
            for total, group in zip(rows["placebo"], case.groups, strict=True):
                total += field.passing(group, model)
    for name, totals in rows.items():
        counts = [f"{sum(each)} of {len(each)}" for each in totals]
        print(f"{rate:<7g} {name:<8}" + "".join(f"{each:>18}" for each in counts), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=10)
    parser.add_argument("--rate", type=float, nargs="+", default=[5e-4, 5e-3])
    options = parser.parse_args()
    with measuring() as field:
        print(f"{len(field.solved)} solved clean, {len(field.broken)} of them broken by C1")
        changed = [slip for name in field.broken for slip in slips(field, name)]
        breaking = set(field.breaking([(slip.task, slip.prompt) for slip in changed]))
        deciding = [slip for slip in changed if (slip.task, slip.prompt) in breaking]
        tasks = {slip.task for slip in deciding}
        print(f"{len(changed)} words misspelled in {len(field.broken)} broken prompts; ", end="")
        print(f"{len(deciding)} break theirs alone, {len(tasks)} prompts in all\n")
        chosen = list(islice(cases(field, deciding), options.requests))
        print(", ".join(case.request.task.id for case in chosen))
        print(f"{'rate':<7} {'':<8}" + "".join(f"{each:>18}" for each in KINDS))
        for rate in options.rate:
            show(field, chosen, rate)


if __name__ == "__main__":
    main()
