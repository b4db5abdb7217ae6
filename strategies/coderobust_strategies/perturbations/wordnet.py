"""Word-level perturbations with WordNet's words, as the papers have them.

Source: NL-Augmenter's SynonymInsertion and SynonymSubstitution as ReCode uses them (the name of a
random synset among all senses of the word, in its base form), NLPerturbator's E5 (a derivationally
related form) and E6 (any lemma of any synset). NLTK reads WordNet and needs its WordNet package.
Departures: protected and frozen words stay. Parts of speech come from our rules instead of spaCy.
Spaces join the words of a phrase; NLPerturbator leaves "_".

WordNet has every sense of a word, not only that of programming: its first synonyms of "find" are
"happen", "chance" and "bump". The bundled table is the default for that reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

from coderobust_strategies.perturbation import LexiconMissing
from coderobust_strategies.perturbations.word import content_words, follow_word, replace_word
from coderobust_strategies.prompt.anatomy import Anatomy
from coderobust_strategies.prompt.speech import Tagged
from coderobust_strategies.site import Site

_PARTS = {"noun": "n", "verb": "v", "adjective": "a", "adverb": "r"}
Choose = Callable[[str, str], tuple[str, ...]]


def synonym_insertion(anatomy: Anatomy) -> Iterator[Site]:
    """W1: adds the name of one of its synsets after a word."""
    for each, words in _with_words(anatomy, synset_names):
        yield follow_word(each.word, words)


def synonym_substitution(anatomy: Anatomy) -> Iterator[Site]:
    """W2: replaces a word by the name of one of its synsets."""
    yield from _substitutions(anatomy, synset_names, "synonym")


def any_synonym(anatomy: Anatomy) -> Iterator[Site]:
    """nlp:E6: replaces a word by any lemma of any of its synsets."""
    yield from _substitutions(anatomy, synset_lemmas, "synonym")


def word_class(anatomy: Anatomy) -> Iterator[Site]:
    """nlp:E5: replaces a word by a derivationally related form."""
    yield from _substitutions(anatomy, related_forms, "derivation")


@cache
def synset_names(lemma: str, part: str) -> tuple[str, ...]:
    """Lists the names of a lemma's synsets, WordNet's most frequent sense first."""
    return _words(lemma, (synset.name().rsplit(".", 2)[0] for synset in _synsets(lemma, part)))


@cache
def synset_lemmas(lemma: str, part: str) -> tuple[str, ...]:
    """Lists every lemma of a lemma's synsets."""
    return _words(lemma, (name for s in _synsets(lemma, part) for name in s.lemma_names()))


@cache
def related_forms(lemma: str, part: str) -> tuple[str, ...]:
    """Lists the derivationally related forms of a lemma in all its senses."""
    senses = (each for s in _synsets(lemma, part) for each in s.lemmas() if each.name() == lemma)
    related = (form for sense in senses for form in sense.derivationally_related_forms())
    return _words(lemma, (form.name() for form in related))


@cache
def load_wordnet() -> Any:
    """Loads WordNet through NLTK.

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


def _with_words(anatomy: Anatomy, choose: Choose) -> Iterator[tuple[Tagged, tuple[str, ...]]]:
    for each in content_words(anatomy):
        words = choose(each.lemma, _PARTS[each.part or "noun"])
        written = each.word.text.lower()
        others = tuple(word for word in words if word.lower() != written)
        if others:
            yield each, others


def _substitutions(anatomy: Anatomy, choose: Choose, kind: str) -> Iterator[Site]:
    for each, words in _with_words(anatomy, choose):
        yield replace_word(each.word, words, kind)


def _synsets(lemma: str, part: str) -> Iterable[Any]:
    found: Iterable[Any] = load_wordnet().synsets(lemma, part)
    return found


def _words(lemma: str, names: Iterable[str]) -> tuple[str, ...]:
    """Turns WordNet's names into words: each once, ASCII letters only, without the lemma itself."""
    spaced = (name.replace("_", " ") for name in names)
    plain = (name for name in spaced if name.replace(" ", "").replace("-", "").isalpha())
    return tuple(dict.fromkeys(name for name in plain if name.lower() != lemma and name.isascii()))
