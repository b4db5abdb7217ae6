"""Sentence-level perturbations S2 TensePast and S3 TenseFuture of Liu et al. 2026.

Source: ReCode (Wang et al. 2023), after NL-Augmenter's TenseTransformation. Departures: only
finite verbs change (ReCode turns "in given list" into "in gave list" and "should" into "should
will"); agreement is kept ("are" becomes "were"); a verb that may be a noun stays. Nothing is
drawn: every seed gives the same variant.
"""

from __future__ import annotations

from collections.abc import Iterator

from coderobust_strategies.edit import Edit
from coderobust_strategies.perturbations.word import match_case
from coderobust_strategies.prompt.anatomy import Anatomy
from coderobust_strategies.prompt.inflection import inflect
from coderobust_strategies.prompt.lexicon import auxiliaries
from coderobust_strategies.prompt.speech import Tagged, tagged
from coderobust_strategies.site import Site

_MODALS = frozenset(
    {
        *("can", "could", "may", "might", "shall", "should", "will", "would", "must", "cannot"),
        *("can't", "couldn't", "shouldn't", "won't", "wouldn't", "mustn't"),
    }
)
_NOT_FINITE_AFTER = frozenset({"to", "do", "does", "did", "don't", "doesn't", "didn't", "let"})


def tense_past(anatomy: Anatomy) -> Iterator[Site]:
    """S2: finite verbs in the past tense."""
    for each in tagged(anatomy):
        yield from _site(each, _past(each))


def tense_future(anatomy: Anatomy) -> Iterator[Site]:
    """S3: finite verbs in the future tense."""
    for each in tagged(anatomy):
        yield from _site(each, _future(each))


def _site(each: Tagged, form: str) -> Iterator[Site]:
    word = each.word
    if form and form != word.text.lower():
        yield Site((Edit(word.start, word.stop, match_case(form, word.text), "tense"),))


def _past(each: Tagged) -> str:
    auxiliary = _auxiliary(each)
    if auxiliary:
        return auxiliary[0].replace("-", "")
    return inflect(each.lemma, "VBD") if finite(each) else ""


def _future(each: Tagged) -> str:
    auxiliary = _auxiliary(each)
    if auxiliary:
        return auxiliary[1].replace("-", "")
    return f"will {each.lemma}" if finite(each) or each.tag == "VBD" else ""


def _auxiliary(each: Tagged) -> tuple[str, str] | None:
    """The forms of an auxiliary, unless another one governs it ("should have", "to do")."""
    if each.before in _NOT_FINITE_AFTER or each.before in _MODALS:
        return None
    return auxiliaries().get(each.word.text.lower())


def finite(each: Tagged) -> bool:
    """Third person, or a base form that no "to" or modal governs: an imperative or plural."""
    if each.tag in {"VBZ", "VBP"}:
        return True
    return each.tag == "VB" and each.before not in _NOT_FINITE_AFTER and each.before not in _MODALS
