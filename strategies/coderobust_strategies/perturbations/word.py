"""Word-level perturbations W1 to W3 of Liu et al. 2026, with ReCode's mechanisms.

Source: ReCode (Wang et al. 2023), after NL-Augmenter's SynonymInsertion, SynonymSubstitution and
EnglishInflectionalVariation. Departures: synonyms come from a table written for programming tasks
in the sense meant there, inflected as the word they stand for (WordNet offers every sense: the
first of "find" is "happen, chance, bump"); words that carry logic, number or order stay; parts of
speech come from rules, and an ambiguous word stays too; adjectives keep their degree, since "the
large number" is another task than "the largest"; the case of the first letter is kept.
"""

from __future__ import annotations

from collections.abc import Iterator

from coderobust_strategies.edit import Edit
from coderobust_strategies.prompt.anatomy import Anatomy
from coderobust_strategies.prompt.inflection import inflect_phrase, other_forms
from coderobust_strategies.prompt.lexicon import frozen_words, synonyms
from coderobust_strategies.prompt.speech import Tagged, tagged
from coderobust_strategies.site import Site


def synonym_insertion(anatomy: Anatomy) -> Iterator[Site]:
    """W1: a word may be followed by a synonym."""
    for each, choices in _with_synonyms(anatomy):
        end = each.word.stop
        yield Site(tuple(Edit(end, end, f" {choice}", "insertion") for choice in choices))


def synonym_substitution(anatomy: Anatomy) -> Iterator[Site]:
    """W2: a word may give way to a synonym."""
    for each, choices in _with_synonyms(anatomy):
        word = each.word
        edits = (
            Edit(word.start, word.stop, match_case(choice, word.text), "synonym")
            for choice in choices
        )
        yield Site(tuple(edits))


def inflectional_variation(anatomy: Anatomy) -> Iterator[Site]:
    """W3: a noun or verb may take another of its forms."""
    for each in content_words(anatomy):
        if each.part == "noun" or each.part == "verb":
            word = each.word
            forms = other_forms(each.part, each.lemma, word.text.lower())
            if forms:
                yield Site(
                    tuple(
                        Edit(word.start, word.stop, match_case(form, word.text), "inflection")
                        for form in forms
                    )
                )


def content_words(anatomy: Anatomy) -> Iterator[Tagged]:
    """Words of the open classes whose part of speech is known and that are not frozen."""
    for each in tagged(anatomy):
        if each.part and each.word.text.lower() not in frozen_words():
            yield each


def match_case(text: str, model: str) -> str:
    """`text` with a capital where `model` has one, in capitals where `model` is."""
    if model.isupper() and len(model) > 1:
        return text.upper()
    return text[:1].upper() + text[1:] if model[:1].isupper() else text


def _with_synonyms(anatomy: Anatomy) -> Iterator[tuple[Tagged, tuple[str, ...]]]:
    for each in content_words(anatomy):
        if each.part:
            phrases = _phrases(each)
            inflected = (inflect_phrase(phrase, each.part, each.tag) for phrase in phrases)
            choices = tuple(choice for choice in inflected if choice)
            if choices:
                yield each, choices


def _phrases(each: Tagged) -> tuple[str, ...]:
    """The synonyms of a word, in the sense it has before "of" if the table knows one."""
    part = each.part or "noun"
    plain = synonyms().get((part, each.lemma), ())
    return synonyms().get((part, f"{each.lemma} of"), plain) if each.after == "of" else plain
