"""The catalogue of perturbations, by name.

A look-up imports none of the code behind a name, so that collecting a large suite is cheap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from coderobust_strategies.perturbation import (
    Part,
    Perturbation,
    PerturbationError,
    PerturbationLevel,
    RewriterNeeded,
    UnknownPerturbation,
)
from coderobust_strategies.perturbations.recode import CodeLevel, code_level
from coderobust_strategies.prompt.anatomy import Anatomy
from coderobust_strategies.site import Site

CODE_PREFIX = "recode:"
"""Prefix of the names of changes to code, which `perturbations.recode` applies."""


def lookup(name: str, *, rewriter: bool = False) -> Perturbation:
    """Finds a perturbation by its name.

    NLPerturbator's frequency levels are suffixes: "nlp:A2x3" is "nlp:A2" at three times its rate.

    Args:
        rewriter: whether the caller has a rewriter for the perturbations that need one.

    Raises:
        UnknownPerturbation: no perturbation has that name.
        RewriterNeeded: the perturbation needs a rewriter, and the caller has none.
        PerturbationError: the name starts with `recode:`; those change code, not prose.
    """
    found = _find(name)
    if found.rewrites and not rewriter:
        raise RewriterNeeded(found)
    return found


def names() -> tuple[str, ...]:
    """Lists the names that need nothing else: no frequency levels, none that need a rewriter."""
    return tuple(CATALOGUE)


def level(name: str) -> PerturbationLevel | CodeLevel:
    """Names the level that a perturbation is reported under.

    It is "character", "word", "sentence" or "mixed", and for a change to code "function",
    "format" or "syntax".
    """
    return code_level(name) if name.startswith(CODE_PREFIX) else _find(name).level


def list_changes(name: str) -> frozenset[str]:
    """Lists the kinds of change that a perturbation makes; an aggregate makes those of its members.

    A frequency level makes the changes of its base. Of a name that is in no catalogue, such as a
    recorded perturbation, and of one that rewrites, the name itself stands for what it does.
    """
    try:
        found = _find(name)
    except PerturbationError:
        return frozenset({name})
    if found.members:
        return frozenset[str]().union(*map(list_changes, found.members))
    return frozenset(part.code for part in found.parts) or frozenset({name})


def check_names(wanted: Iterable[str], *, rewriter: bool = False) -> None:
    """Raises what `lookup` raises for the first name that it refuses; perturbs nothing."""
    for name in wanted:
        lookup(name, rewriter=rewriter)


def candidate_sites(anatomy: Anatomy, wanted: Iterable[str]) -> tuple[Site, ...]:
    """Collects the sites that several perturbations have in a prompt, each site once.

    An aggregate contributes the sites of its members.

    Raises:
        UnknownPerturbation: no perturbation has one of the names.
    """
    sites: dict[Site, None] = {}
    for name in wanted:
        for member in lookup(name).members or (name,):
            sites.update(dict.fromkeys(lookup(member).sites(anatomy)))
    return tuple(sites)


def _find(name: str) -> Perturbation:
    known = CATALOGUE.get(name) or REWRITING.get(name)
    if known is None and name[-2:] in {"x2", "x3"} and name[:-2] in SCALABLE:
        known = _scale(CATALOGUE[name[:-2]], name, int(name[-1]))
    if known is not None:
        return known
    if name.startswith(FOREIGN_PREFIX) and name[len(FOREIGN_PREFIX) :].isidentifier():
        title = name[len(FOREIGN_PREFIX) :]
        return Perturbation(name, title, _foreign_level(title), rewrites=True)
    if name.startswith(CODE_PREFIX):
        raise PerturbationError(
            f"perturbation {name!r} changes code, not prose: "
            "coderobust_strategies.perturbations.recode applies it to a prompt together with its "
            "solution and tests"
        )
    raise UnknownPerturbation(name, (*CATALOGUE, *REWRITING))


def _foreign_level(title: str) -> PerturbationLevel:
    return "character" if "Char" in title or title == "WordSwapQWERTY" else "word"


def _scale(base: Perturbation, name: str, factor: int) -> Perturbation:
    parts = tuple(Part(part.code, part.rate * factor) for part in base.parts)
    return replace(base, name=name, title=f"{base.title} x{factor}", parts=parts)


def _recode(
    name: str, title: str, level_: PerturbationLevel, code: str, rate: float
) -> Perturbation:
    return Perturbation(name, title, level_, (Part(code, rate),))


def _nlp(
    name: str, title: str, level_: PerturbationLevel, *parts: tuple[str, float]
) -> Perturbation:
    made = tuple(Part(f"nlperturbator:{function}", rate) for function, rate in parts)
    return Perturbation(f"nlp:{name}", title, level_, made, draw="exact")


# ReCode's rates, per candidate site. Where its code and its released rows disagree, the rows win:
# C3 flips 0.35 of the letters in the code, and 0.29 of the eligible letters in the rows. Its W and
# S perturbations find fewer candidates than ours do (masks, parser errors). Our rates for them are
# set so that as many eligible words change as in the rows.
_LIU = (
    _recode("C1", "ButterFingers", "character", "character:butter_fingers", 0.057),
    _recode("C2", "SwapCharacters", "character", "character:swap_characters", 0.05),
    _recode("C3", "ChangeCharCase", "character", "character:change_case", 0.29),
    _recode("W1", "SynonymInsertion", "word", "word:synonym_insertion", 0.38),
    _recode("W2", "SynonymSubstitution", "word", "word:synonym_substitution", 0.48),
    _recode("W3", "InflectionalVariation", "word", "word:inflectional_variation", 0.6),
    _recode("S2", "TensePast", "sentence", "sentence:tense_past", 0.7),
    _recode("S3", "TenseFuture", "sentence", "sentence:tense_future", 0.85),
)
_REWRITING = (
    Perturbation("S1", "BackTranslation", "sentence", rewrites=True),
    Perturbation("nlp:P1", "rephrasing sentence", "sentence", rewrites=True),
    Perturbation("nlp:P2", "declarative to interrogative", "sentence", rewrites=True),
)
_PARAPHRASE = _recode("paraphrase", "templates", "sentence", "paraphrase:imperatives", 0.5)
_AGGREGATES = (
    Perturbation("C", "character level", "character", members=("C1", "C2", "C3")),
    Perturbation("W", "word level", "word", members=("W1", "W2", "W3")),
    Perturbation("S", "sentence level", "sentence", members=("S2", "S3")),
    Perturbation("mix_all", "all levels", "mixed", members=tuple(each.name for each in _LIU)),
)
_HALF_TYPO = ("keyboard_typo", 0.015)
_NLP = (
    _nlp("A1", "extra space among words", "character", ("extra_space_among_words", 0.15)),
    _nlp("A2", "extra space inside words", "character", ("extra_space_inside_words", 0.15)),
    _nlp("A3", "repeated words", "word", ("repeated_words", 0.15)),
    _nlp("A4", "repeated char", "character", ("repeated_char", 0.15)),
    _nlp("D1", "char deletion", "character", ("char_deletion", 0.05)),
    _nlp("D2", "preposition deletion", "word", ("preposition_deletion", 0.15)),
    _nlp("D3", "determiner deletion", "word", ("determiner_deletion", 0.15)),
    _nlp("D4", "space deletion", "character", ("space_deletion", 0.15)),
    _nlp("E1", "keyboard typo", "character", ("keyboard_typo", 0.03)),
    _nlp("E2", "extra capital letter", "character", ("extra_capital_letter", 0.03)),
    _nlp("E3", "grammatical person variation", "word", ("grammatical_person", 0.35)),
    _nlp("E4", "active and passive voice variation", "word", ("passive_voice", 0.35)),
    _nlp("E5", "word class variation", "word", ("word_class", 0.35)),
    _nlp("E6", "synonym substitution", "word", ("synonym_substitution", 0.25)),
    _nlp("S1", "swap adjacent chars", "character", ("swap_adjacent_chars", 0.05)),
    _nlp("S2", "swap adjacent words", "word", ("swap_adjacent_words", 0.05)),
    _nlp("C1", "typo and space", "mixed", _HALF_TYPO, ("extra_space_among_words", 0.075)),
    _nlp("C2", "typo and repeated char", "mixed", _HALF_TYPO, ("repeated_char", 0.075)),
    _nlp("C3", "typo and deletion", "mixed", _HALF_TYPO, ("char_deletion", 0.025)),
)
_FIXED_FREQUENCY = ("E3", "E4", "E5", "E6", "S2")
SCALABLE = frozenset(each.name for each in _NLP) - {f"nlp:{code}" for code in _FIXED_FREQUENCY}
CATALOGUE: Mapping[str, Perturbation] = MappingProxyType(
    {each.name: each for each in (*_LIU, *_AGGREGATES, _PARAPHRASE, *_NLP)}
)
REWRITING: Mapping[str, Perturbation] = MappingProxyType({each.name: each for each in _REWRITING})
FOREIGN_PREFIX = "textattack:"
"""Prefix of the names of TextAttack's transformations and augmenters."""

WITH_REWRITER: Mapping[str, tuple[str, ...]] = MappingProxyType({"S": ("S1",), "mix_all": ("S1",)})
"""Members that an aggregate has in addition when there is a rewriter."""
WITH_WORDNET: Mapping[str, Part] = MappingProxyType(
    {
        "word:synonym_insertion": Part("wordnet:synonym_insertion", 0.5),
        "word:synonym_substitution": Part("wordnet:synonym_substitution", 0.5),
        "nlperturbator:word_class": Part("wordnet:word_class", 0.35),
        "nlperturbator:synonym_substitution": Part("wordnet:any_synonym", 0.25),
    }
)
"""Parts that replace the bundled ones under `lexicon="wordnet"`, with the sources' own rates."""
