"""What a perturbation is: a named proposer of candidate edits with a source's rate.

PerturbationError           a perturbation cannot be had or used (a ValueError)
├── UnknownPerturbation     no perturbation has that name
├── RewriterNeeded          it rewrites sentences through an engine, and none was given
└── LexiconMissing          a lexicon's data are not installed
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Literal

from coderobust_strategies.prompt.anatomy import Anatomy
from coderobust_strategies.site import Site

PerturbationLevel = Literal["character", "word", "sentence", "mixed"]
"""The levels of prose; changes of code have `perturbations.recode.CodeLevel`."""
Draw = Literal["each", "exact"]
Proposer = Callable[[Anatomy], Iterable[Site]]


class PerturbationError(ValueError):
    """A perturbation cannot be had or used."""


class RewriterNeeded(PerturbationError):
    """A perturbation rewrites sentences through an engine, and none was given."""

    def __init__(self, perturbation: Perturbation) -> None:
        self.name = perturbation.name
        super().__init__(
            f"perturbation {perturbation.name!r} ({perturbation.title}) needs a rewriter: a "
            "back-translation or paraphrasing engine, any callable from text to text, or "
            "recorded variants"
        )


class LexiconMissing(PerturbationError):
    """A lexicon's data are not installed; the message says how to get them."""


class UnknownPerturbation(PerturbationError):
    """No perturbation has that name; the message offers the nearest one.

    Attributes:
        name: what was asked for.
        known: every valid name.
    """

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(known)
        folded = {valid.casefold(): valid for valid in self.known}
        close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
        hint = f"; did you mean {folded[close[0]]!r}?" if close else ""
        super().__init__(f"unknown perturbation {name!r}{hint} (valid: {', '.join(self.known)})")


@dataclass(frozen=True, slots=True)
class Part:
    """One mechanism of a perturbation.

    Attributes:
        code: where its proposer lives, "module:function"; imported when first used.
        rate: share of its candidate sites that change.
    """

    code: str
    rate: float

    def sites(self, anatomy: Anatomy) -> tuple[Site, ...]:
        """Every candidate edit of this mechanism for a prompt, grouped by place."""
        module, _, function = self.code.partition(":")
        family = import_module(f"coderobust_strategies.perturbations.{module}")
        propose: Proposer = getattr(family, function)
        return tuple(propose(anatomy))


@dataclass(frozen=True, slots=True)
class Perturbation:
    """What is known about a perturbation without running it.

    Attributes:
        name: as suites write it ("C1").
        title: the source's name ("ButterFingers").
        level: the level it is reported under.
        parts: its mechanisms, applied together; empty for an aggregate.
        members: the perturbations that an aggregate draws one from.
        draw: how sites are chosen: "each" site with the rate as its probability (ReCode), or
            the "exact" share of the sites, at least one (NLPerturbator).
        rewrites: it has no sites of its own; an engine rewrites the description.
    """

    name: str
    title: str
    level: PerturbationLevel
    parts: tuple[Part, ...] = ()
    members: tuple[str, ...] = ()
    draw: Draw = "each"
    rewrites: bool = False

    def sites(self, anatomy: Anatomy) -> tuple[Site, ...]:
        """Every candidate edit of every mechanism for a prompt."""
        return tuple(site for part in self.parts for site in part.sites(anatomy))
