"""Word-level perturbations W1 to W3 of Liu et al. 2026, with ReCode's mechanisms.

Source: ReCode (Wang et al. 2023), after NL-Augmenter's SynonymInsertion, SynonymSubstitution and
EnglishInflectionalVariation. Departures: synonyms come from a table written for programming tasks,
in the sense meant there, and take the form of the word they replace. WordNet offers every sense:
the first of "find" is "happen, chance, bump". Words that carry logic, number or order stay. Parts
of speech come from rules, and an ambiguous word stays. Adjectives keep their degree, since "the
large number" is another task than "the largest". The case of the first letter is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coderobust_strategies.edit import Edit
from coderobust_strategies.prompt.anatomy import Anatomy, Word
from coderobust_strategies.prompt.inflection import inflect_phrase, other_forms
from coderobust_strategies.prompt.lexicon import frozen_words, synonyms
from coderobust_strategies.prompt.speech import Tagged, tag_words
from coderobust_strategies.site import Site


def synonym_insertion(anatomy: Anatomy) -> Iterator[Site]:
    """W1: adds a synonym after a word."""
    for each, choices in _with_synonyms(anatomy):
        yield follow_word(each.word, choices)


def synonym_substitution(anatomy: Anatomy) -> Iterator[Site]:
    """W2: replaces a word by a synonym."""
    for each, choices in _with_synonyms(anatomy):
        yield replace_word(each.word, choices, "synonym")


def inflectional_variation(anatomy: Anatomy) -> Iterator[Site]:
    """W3: puts a noun or verb into another of its forms."""
    for each in content_words(anatomy):
        if each.part == "noun" or each.part == "verb":
            forms = other_forms(each.part, each.lemma, each.word.text.lower())
            if forms:
                yield replace_word(each.word, forms, "inflection")


def content_words(anatomy: Anatomy) -> Iterator[Tagged]:
    """Yields the words of open classes that may change: known part of speech, not frozen."""
    for each in tag_words(anatomy):
        if each.part and each.word.text.lower() not in frozen_words():
            yield each


def follow_word(word: Word, others: Iterable[str]) -> Site:
    """Makes the site at which one of `others` may follow a word."""
    return Site(tuple(Edit(word.stop, word.stop, f" {other}", "insertion") for other in others))


def replace_word(word: Word, others: Iterable[str], kind: str) -> Site:
    """Makes the site at which one of `others` may replace a word, in the case of that word."""
    edits = (Edit(word.start, word.stop, match_case(other, word.text), kind) for other in others)
    return Site(tuple(edits))


def change_form(word: Word, form: str, kind: str) -> Iterator[Site]:
    """Yields the site at which a word takes another form, or nothing if the form is not another."""
    if form and form != word.text.lower():
        yield replace_word(word, (form,), kind)


def match_case(text: str, model: str) -> str:
    """Gives `text` the case of `model`: a capital first letter, or all capitals."""
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
    """Looks up the synonyms of a word. Before "of" it may have others ("number of")."""
    part = each.part or "noun"
    plain = synonyms().get((part, each.lemma), ())
    return synonyms().get((part, f"{each.lemma} of"), plain) if each.after == "of" else plain
