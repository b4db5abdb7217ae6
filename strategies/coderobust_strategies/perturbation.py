"""Perturbations: named proposers of candidate edits, with the rates of their source.

PerturbationError           a perturbation does not exist or cannot be used (a ValueError)
├── UnknownPerturbation     no perturbation has that name
├── RewriterNeeded          it rewrites sentences, and no rewriter was given
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
"""Levels of changes to prose. Changes to code have `perturbations.recode.CodeLevel`."""
NO_SITE = "no eligible site"
"""The reason to skip a prompt in which a perturbation finds nothing to change."""
Draw = Literal["each", "exact"]
Proposer = Callable[[Anatomy], Iterable[Site]]


class PerturbationError(ValueError):
    """A perturbation does not exist or cannot be used."""


class RewriterNeeded(PerturbationError):
    """A perturbation rewrites sentences, and no rewriter was given."""

    def __init__(self, perturbation: Perturbation) -> None:
        self.name = perturbation.name
        super().__init__(
            f"perturbation {perturbation.name!r} ({perturbation.title}) needs a rewriter: a "
            "back-translation or paraphrasing rewriter, any callable from text to text, or "
            "recorded variants"
        )


class LexiconMissing(PerturbationError):
    """A lexicon's data are not installed. The message says how to install them."""


class UnknownPerturbation(PerturbationError):
    """No perturbation has that name. The message offers the nearest one.

    Attributes:
        name: the name that was asked for.
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
        code: its proposer as "module:function", imported when first used.
        rate: share of its candidate sites that change.
    """

    code: str
    rate: float

    def sites(self, anatomy: Anatomy) -> tuple[Site, ...]:
        """Returns every candidate edit of this mechanism for a prompt, grouped by place."""
        module, _, function = self.code.partition(":")
        family = import_module(f"coderobust_strategies.perturbations.{module}")
        propose: Proposer = getattr(family, function)
        return tuple(propose(anatomy))


@dataclass(frozen=True, slots=True)
class Perturbation:
    """A perturbation and all that is known about it without running it.

    Attributes:
        name: its name in suites ("C1").
        title: its name in the source ("ButterFingers").
        level: the level it is reported under.
        parts: its mechanisms, applied together; empty for an aggregate.
        members: the perturbations of an aggregate, of which each draw takes one.
        draw: the way sites are chosen: "each" site with the rate as its probability (ReCode),
            or the "exact" share of the sites, at least one (NLPerturbator).
        rewrites: True when it has no sites of its own because a rewriter makes its edits.
    """

    name: str
    title: str
    level: PerturbationLevel
    parts: tuple[Part, ...] = ()
    members: tuple[str, ...] = ()
    draw: Draw = "each"
    rewrites: bool = False

    def sites(self, anatomy: Anatomy) -> tuple[Site, ...]:
        """Returns every candidate edit of every mechanism for a prompt."""
        return tuple(site for part in self.parts for site in part.sites(anatomy))
