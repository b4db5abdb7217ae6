"""Word-level perturbations with WordNet's words, for fidelity with the papers.

Source: NL-Augmenter's SynonymInsertion and SynonymSubstitution as ReCode uses them (the name of a
random synset, every sense of the word counting, in its base form), NLPerturbator's E5 (a
derivationally related form) and E6 (any lemma of any synset). Read through NLTK, which needs its
WordNet package. Departures: protected and frozen words stay; part of speech comes from our rules
instead of spaCy; where a word has several tokens, spaces join them (NLPerturbator leaves "_").

The senses are the dictionary's, not the programmer's: WordNet's first synonyms of "find" are
"happen", "chance" and "bump". The bundled table is the default for that reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

from coderobust_strategies.edit import Edit
from coderobust_strategies.perturbation import LexiconMissing
from coderobust_strategies.perturbations.word import content_words, match_case
from coderobust_strategies.prompt.anatomy import Anatomy
from coderobust_strategies.prompt.speech import Tagged
from coderobust_strategies.site import Site

_PARTS = {"noun": "n", "verb": "v", "adjective": "a", "adverb": "r"}
Choose = Callable[[str, str], tuple[str, ...]]


def synonym_insertion(anatomy: Anatomy) -> Iterator[Site]:
    """W1: a word may be followed by the name of one of its synsets."""
    for each, words in _with(anatomy, synset_names):
        end = each.word.stop
        yield Site(tuple(Edit(end, end, f" {word}", "insertion") for word in words))


def synonym_substitution(anatomy: Anatomy) -> Iterator[Site]:
    """W2: a word may give way to the name of one of its synsets."""
    yield from _substitutions(anatomy, synset_names, "synonym")


def any_synonym(anatomy: Anatomy) -> Iterator[Site]:
    """nlp:E6: a word may give way to any lemma of any of its synsets."""
    yield from _substitutions(anatomy, synset_lemmas, "synonym")


def word_class(anatomy: Anatomy) -> Iterator[Site]:
    """nlp:E5: a word may give way to a derivationally related form."""
    yield from _substitutions(anatomy, related_forms, "derivation")


@cache
def synset_names(lemma: str, part: str) -> tuple[str, ...]:
    """The names of a lemma's synsets, WordNet's most frequent sense first."""
    return _words(lemma, (synset.name().rsplit(".", 2)[0] for synset in _synsets(lemma, part)))


@cache
def synset_lemmas(lemma: str, part: str) -> tuple[str, ...]:
    """Every lemma of a lemma's synsets."""
    return _words(lemma, (name for s in _synsets(lemma, part) for name in s.lemma_names()))


@cache
def related_forms(lemma: str, part: str) -> tuple[str, ...]:
    """The derivationally related forms of a lemma in all its senses."""
    senses = (each for s in _synsets(lemma, part) for each in s.lemmas() if each.name() == lemma)
    related = (form for sense in senses for form in sense.derivationally_related_forms())
    return _words(lemma, (form.name() for form in related))


@cache
def reader() -> Any:
    """NLTK's WordNet.

    Raises:
        LexiconMissing: NLTK or its WordNet package is not installed.
    """
    try:
        nltk: Any = import_module("nltk")  # it publishes no types
        wordnet: Any = import_module("nltk.corpus").wordnet
    except ImportError:
        raise LexiconMissing('lexicon "wordnet" needs NLTK: pip install nltk') from None
    try:
        wordnet.synsets("word")
    except LookupError:
        places = ", ".join(nltk.data.path)
        raise LexiconMissing(
            'lexicon "wordnet" needs NLTK\'s WordNet, which is in none of '
            f"{places}; get it with: python -m nltk.downloader wordnet"
        ) from None
    return wordnet


def _with(anatomy: Anatomy, choose: Choose) -> Iterator[tuple[Tagged, tuple[str, ...]]]:
    for each in content_words(anatomy):
        words = choose(each.lemma, _PARTS[each.part or "noun"])
        written = each.word.text.lower()
        others = tuple(word for word in words if word.lower() != written)
        if others:
            yield each, others


def _substitutions(anatomy: Anatomy, choose: Choose, kind: str) -> Iterator[Site]:
    for each, words in _with(anatomy, choose):
        word = each.word
        edits = (Edit(word.start, word.stop, match_case(w, word.text), kind) for w in words)
        yield Site(tuple(edits))


def _synsets(lemma: str, part: str) -> Iterable[Any]:
    found: Iterable[Any] = reader().synsets(lemma, part)
    return found


def _words(lemma: str, names: Iterable[str]) -> tuple[str, ...]:
    """Names as words, each once, without the lemma itself and without what is no plain word."""
    spaced = (name.replace("_", " ") for name in names)
    plain = (name for name in spaced if name.replace(" ", "").replace("-", "").isalpha())
    return tuple(dict.fromkeys(name for name in plain if name.lower() != lemma and name.isascii()))
