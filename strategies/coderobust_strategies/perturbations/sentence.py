"""Sentence-level perturbations S2 TensePast and S3 TenseFuture of Liu et al. 2026.

Source: ReCode (Wang et al. 2023), after NL-Augmenter's TenseTransformation. Departures: only
finite verbs change; ReCode turns "in given list" into "in gave list" and "should" into "should
will". Number is kept: "are" becomes "were". A verb that may be a noun stays.
"""

from __future__ import annotations

from collections.abc import Iterator

from coderobust_strategies.perturbations.word import change_form
from coderobust_strategies.prompt.anatomy import Anatomy
from coderobust_strategies.prompt.inflection import inflect
from coderobust_strategies.prompt.lexicon import auxiliaries
from coderobust_strategies.prompt.speech import Tagged, tag_words
from coderobust_strategies.site import Site

_MODALS = frozenset(
    {
        *("can", "could", "may", "might", "shall", "should", "will", "would", "must", "cannot"),
        *("can't", "couldn't", "shouldn't", "won't", "wouldn't", "mustn't"),
    }
)
_NOT_FINITE_AFTER = frozenset({"to", "do", "does", "did", "don't", "doesn't", "didn't", "let"})


def tense_past(anatomy: Anatomy) -> Iterator[Site]:
    """S2: puts a finite verb into the past tense."""
    for each in tag_words(anatomy):
        yield from change_form(each.word, _past(each), "tense")


def tense_future(anatomy: Anatomy) -> Iterator[Site]:
    """S3: puts a finite verb into the future tense."""
    for each in tag_words(anatomy):
        yield from change_form(each.word, _future(each), "tense")


def _past(each: Tagged) -> str:
    auxiliary = _auxiliary(each)
    if auxiliary:
        return auxiliary[0].replace("-", "")
    return inflect(each.lemma, "VBD") if is_finite(each) else ""


def _future(each: Tagged) -> str:
    auxiliary = _auxiliary(each)
    if auxiliary:
        return auxiliary[1].replace("-", "")
    return f"will {each.lemma}" if is_finite(each) or each.tag == "VBD" else ""


def _auxiliary(each: Tagged) -> tuple[str, str] | None:
    """Finds past and future of an auxiliary; None where another one governs it ("should have")."""
    if each.before in _NOT_FINITE_AFTER or each.before in _MODALS:
        return None
    return auxiliaries().get(each.word.text.lower())


def is_finite(each: Tagged) -> bool:
    """Says whether a verb is finite: third person, or a base form without "to" or a modal."""
    if each.tag in {"VBZ", "VBP"}:
        return True
    return each.tag == "VB" and each.before not in _NOT_FINITE_AFTER and each.before not in _MODALS
