"""NLPerturbator's categories A1 to S2, as sites.

Source: Chen et al. 2024, "NLPerturbator: Studying the Robustness of Code LLMs to Natural Language
Variations". A draw takes the exact share of the sites that the paper's frequency asks for, at
least one. Departures: only eligible words change. Words that carry logic, order or number are not
dropped, repeated, moved or replaced. Spaces are added and dropped between two eligible words of
one line only; line breaks stay. Word classes and synonyms come from the bundled tables, not from
WordNet. Not covered: P1 and P2, which rewrite whole sentences through a model.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from coderobust_strategies.edit import Edit
from coderobust_strategies.perturbations.keyboard import neighbours
from coderobust_strategies.perturbations.sentence import is_finite
from coderobust_strategies.perturbations.word import change_form, content_words, replace_word
from coderobust_strategies.perturbations.word import synonym_substitution as synonym_substitution
from coderobust_strategies.prompt.anatomy import Anatomy, Word
from coderobust_strategies.prompt.inflection import inflect
from coderobust_strategies.prompt.lexicon import derivations, frozen_words
from coderobust_strategies.prompt.speech import Tagged, tag_words
from coderobust_strategies.site import Site

_DIRECT = 1.2  # key widths: keys that touch


def extra_space_among_words(anatomy: Anatomy) -> Iterator[Site]:
    """A1: adds a space between two words."""
    for before, _ in _neighbours(anatomy):
        yield _insertion(before.stop, " ", "space")


def extra_space_inside_words(anatomy: Anatomy) -> Iterator[Site]:
    """A2: adds a space inside a word of at least four letters."""
    for word in _plain(anatomy, 4):
        inner = range(word.start + 1, word.stop)
        yield Site(tuple(Edit(place, place, " ", "space") for place in inner))


def repeated_words(anatomy: Anatomy) -> Iterator[Site]:
    """A3: repeats a word of at most three letters."""
    for word in anatomy.words:
        if len(word.text) <= 3 and word.text.lower() not in frozen_words():
            yield _insertion(word.stop, f" {word.text}", "repetition")


def repeated_char(anatomy: Anatomy) -> Iterator[Site]:
    """A4: repeats a letter of a word."""
    for word in _plain(anatomy, 2):
        letters = enumerate(word.text, word.start + 1)
        yield Site(tuple(Edit(place, place, letter, "typo") for place, letter in letters))


def char_deletion(anatomy: Anatomy) -> Iterator[Site]:
    """D1: deletes an inner lower-case letter."""
    for place, _ in _inner_letters(anatomy):
        yield Site((Edit(place, place + 1, "", "typo"),))


def preposition_deletion(anatomy: Anatomy) -> Iterator[Site]:
    """D2: deletes a preposition."""
    yield from _deletions(anatomy, "IN")


def determiner_deletion(anatomy: Anatomy) -> Iterator[Site]:
    """D3: deletes a determiner."""
    yield from _deletions(anatomy, "DT")


def space_deletion(anatomy: Anatomy) -> Iterator[Site]:
    """D4: deletes the space between two words."""
    for before, after in _neighbours(anatomy):
        yield Site((Edit(before.stop, after.start, "", "space"),))


def keyboard_typo(anatomy: Anatomy) -> Iterator[Site]:
    """E1: replaces a letter by that of a key that touches its key."""
    for word in anatomy.words:
        for place, letter in enumerate(word.text, word.start):
            near = neighbours(letter, _DIRECT)
            if near:
                yield Site(tuple(Edit(place, place + 1, other, "typo") for other in near))


def extra_capital_letter(anatomy: Anatomy) -> Iterator[Site]:
    """E2: makes the first letter a capital, or the second one where the first is a capital."""
    for word in anatomy.words:
        place = word.start + word.text[0].isupper()
        letter = anatomy.prompt[place]
        if letter.islower():
            yield Site((Edit(place, place + 1, letter.upper(), "case"),))


def grammatical_person(anatomy: Anatomy) -> Iterator[Site]:
    """E3: exchanges the base form of a verb and its third person."""
    for each in _verbs(anatomy):
        if each.tag in {"VB", "VBZ"}:
            form = inflect(each.lemma, "VB" if each.tag == "VBZ" else "VBZ")
            yield from change_form(each.word, form, "inflection")


def passive_voice(anatomy: Anatomy) -> Iterator[Site]:
    """E4: replaces a finite verb by its past participle."""
    for each in _verbs(anatomy):
        if is_finite(each) or each.tag == "VB":
            yield from change_form(each.word, inflect(each.lemma, "VBN"), "inflection")


def word_class(anatomy: Anatomy) -> Iterator[Site]:
    """E5: replaces a word by a related word of another class."""
    for each in content_words(anatomy):
        related = derivations().get((each.part, each.lemma), ())
        if related and each.tag in {"VB", "VBZ", "NN", "JJ"}:
            yield replace_word(each.word, related, "derivation")


def swap_adjacent_chars(anatomy: Anatomy) -> Iterator[Site]:
    """S1: exchanges two inner lower-case letters."""
    for (place, first), (other, second) in pairwise(_inner_letters(anatomy)):
        if other == place + 1 and first != second:
            yield Site((Edit(place, place + 2, second + first, "swap"),))


def swap_adjacent_words(anatomy: Anatomy) -> Iterator[Site]:
    """S2: exchanges two lower-case words."""
    for before, after in _neighbours(anatomy):
        movable = not {before.text, after.text} & frozen_words() and before.text != after.text
        if movable and (before.text + after.text).islower() and not _ends_call(anatomy, before):
            swapped = f"{after.text} {before.text}"
            yield Site((Edit(before.start, after.stop, swapped, "order"),))


def _insertion(place: int, text: str, kind: str) -> Site:
    return Site((Edit(place, place, text, kind),))


def _neighbours(anatomy: Anatomy) -> Iterator[tuple[Word, Word]]:
    """Yields the pairs of eligible words with one space between them."""
    for before, after in pairwise(anatomy.words):
        if anatomy.prompt[before.stop : after.start] == " ":
            yield before, after


def _plain(anatomy: Anatomy, length: int) -> Iterator[Word]:
    for word in anatomy.words:
        if word.text.isalpha() and len(word.text) >= length:
            yield word


def _inner_letters(anatomy: Anatomy) -> Iterator[tuple[int, str]]:
    for word in _plain(anatomy, 3):
        for place, letter in enumerate(word.text[1:-1], word.start + 1):
            if letter.islower():
                yield place, letter


def _deletions(anatomy: Anatomy, tag: str) -> Iterator[Site]:
    """Yields the words with a tag, each deleted with one space beside it."""
    prompt = anatomy.prompt
    for each in tag_words(anatomy):
        word = each.word
        if word.text.lower() in frozen_words() or _ends_call(anatomy, word):
            continue
        if each.tag == tag:
            if prompt[word.stop : word.stop + 1] == " ":
                yield Site((Edit(word.start, word.stop + 1, "", "omission"),))
            elif prompt[max(0, word.start - 1) : word.start] == " " and each.before:
                yield Site((Edit(word.start - 1, word.stop, "", "omission"),))


def _ends_call(anatomy: Anatomy, word: Word) -> bool:
    """Says whether a word follows a call, as in "f() that returns 2".

    Without the word, "f() returns 2" would read as an example.
    """
    return anatomy.prompt[max(0, word.start - 2) : word.start] == ") "


def _verbs(anatomy: Anatomy) -> Iterator[Tagged]:
    for each in content_words(anatomy):
        if each.part == "verb":
            yield each
