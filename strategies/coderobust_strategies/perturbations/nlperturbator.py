"""NLPerturbator's categories A1 to S2, as sites.

Source: Chen et al. 2024, "NLPerturbator: Studying the Robustness of Code LLMs to Natural Language
Variations". A draw takes the exact share of the sites that the paper's frequency asks for, at
least one. Departures: only eligible words change; words that carry logic, order or number are not
dropped, repeated, moved or replaced; spaces are added and dropped between two eligible words of
one line, never a line break; word classes and synonyms come from the bundled tables, not WordNet.
P1 and P2 rewrite whole sentences through a model and are not here.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from coderobust_strategies.edit import Edit
from coderobust_strategies.perturbations.keyboard import neighbours
from coderobust_strategies.perturbations.sentence import finite
from coderobust_strategies.perturbations.word import content_words, match_case
from coderobust_strategies.perturbations.word import synonym_substitution as synonym_substitution
from coderobust_strategies.prompt.anatomy import Anatomy, Word
from coderobust_strategies.prompt.inflection import inflect
from coderobust_strategies.prompt.lexicon import derivations, frozen_words
from coderobust_strategies.prompt.speech import Tagged, tagged
from coderobust_strategies.site import Site

_DIRECT = 1.2  # key widths: keys that touch


def extra_space_among_words(anatomy: Anatomy) -> Iterator[Site]:
    """A1: another space between two words."""
    for before, _ in _neighbours(anatomy):
        yield _insertion(before.stop, " ", "space")


def extra_space_inside_words(anatomy: Anatomy) -> Iterator[Site]:
    """A2: a space inside a word of at least four letters."""
    for word in _plain(anatomy, 4):
        inner = range(word.start + 1, word.stop)
        yield Site(tuple(Edit(place, place, " ", "space") for place in inner))


def repeated_words(anatomy: Anatomy) -> Iterator[Site]:
    """A3: a word of at most three letters twice."""
    for word in anatomy.words:
        if len(word.text) <= 3 and word.text.lower() not in frozen_words():
            yield _insertion(word.stop, f" {word.text}", "repetition")


def repeated_char(anatomy: Anatomy) -> Iterator[Site]:
    """A4: a letter of a word twice."""
    for word in _plain(anatomy, 2):
        letters = enumerate(word.text, word.start + 1)
        yield Site(tuple(Edit(place, place, letter, "typo") for place, letter in letters))


def char_deletion(anatomy: Anatomy) -> Iterator[Site]:
    """D1: an inner lower-case letter less."""
    for place, _ in _inner_letters(anatomy):
        yield Site((Edit(place, place + 1, "", "typo"),))


def preposition_deletion(anatomy: Anatomy) -> Iterator[Site]:
    """D2: a preposition less."""
    yield from _deletions(anatomy, "IN")


def determiner_deletion(anatomy: Anatomy) -> Iterator[Site]:
    """D3: a determiner less."""
    yield from _deletions(anatomy, "DT")


def space_deletion(anatomy: Anatomy) -> Iterator[Site]:
    """D4: two words joined."""
    for before, after in _neighbours(anatomy):
        yield Site((Edit(before.stop, after.start, "", "space"),))


def keyboard_typo(anatomy: Anatomy) -> Iterator[Site]:
    """E1: a letter of a touching key."""
    for word in anatomy.words:
        for place, letter in enumerate(word.text, word.start):
            near = neighbours(letter, _DIRECT)
            if near:
                yield Site(tuple(Edit(place, place + 1, other, "typo") for other in near))


def extra_capital_letter(anatomy: Anatomy) -> Iterator[Site]:
    """E2: a capital first letter, or a second capital after one."""
    for word in anatomy.words:
        place = word.start + word.text[0].isupper()
        letter = anatomy.prompt[place]
        if letter.islower():
            yield Site((Edit(place, place + 1, letter.upper(), "case"),))


def grammatical_person(anatomy: Anatomy) -> Iterator[Site]:
    """E3: a third person for a base form and the other way round."""
    for each in _verbs(anatomy):
        if each.tag in {"VB", "VBZ"}:
            yield from _form(each, inflect(each.lemma, "VB" if each.tag == "VBZ" else "VBZ"))


def passive_voice(anatomy: Anatomy) -> Iterator[Site]:
    """E4: a past participle for a finite verb."""
    for each in _verbs(anatomy):
        if finite(each) or each.tag == "VB":
            yield from _form(each, inflect(each.lemma, "VBN"))


def word_class(anatomy: Anatomy) -> Iterator[Site]:
    """E5: a related word of another class."""
    for each in content_words(anatomy):
        related = derivations().get((each.part, each.lemma), ())
        word = each.word
        if related and each.tag in {"VB", "VBZ", "NN", "JJ"}:
            forms = (match_case(form, word.text) for form in related)
            yield Site(tuple(Edit(word.start, word.stop, form, "derivation") for form in forms))


def swap_adjacent_chars(anatomy: Anatomy) -> Iterator[Site]:
    """S1: two inner lower-case letters exchanged."""
    for (place, first), (other, second) in pairwise(_inner_letters(anatomy)):
        if other == place + 1 and first != second:
            yield Site((Edit(place, place + 2, second + first, "swap"),))


def swap_adjacent_words(anatomy: Anatomy) -> Iterator[Site]:
    """S2: two lower-case words exchanged."""
    for before, after in _neighbours(anatomy):
        movable = not {before.text, after.text} & frozen_words() and before.text != after.text
        if movable and (before.text + after.text).islower() and not _ends_call(anatomy, before):
            swapped = f"{after.text} {before.text}"
            yield Site((Edit(before.start, after.stop, swapped, "order"),))


def _insertion(place: int, text: str, kind: str) -> Site:
    return Site((Edit(place, place, text, kind),))


def _neighbours(anatomy: Anatomy) -> Iterator[tuple[Word, Word]]:
    """Pairs of eligible words with one space between them."""
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
    """Words of a class, each with the one space that goes with it."""
    prompt = anatomy.prompt
    for each in tagged(anatomy):
        word = each.word
        if word.text.lower() in frozen_words() or _ends_call(anatomy, word):
            continue
        if each.tag == tag:
            if prompt[word.stop : word.stop + 1] == " ":
                yield Site((Edit(word.start, word.stop + 1, "", "omission"),))
            elif prompt[max(0, word.start - 1) : word.start] == " " and each.before:
                yield Site((Edit(word.start - 1, word.stop, "", "omission"),))


def _ends_call(anatomy: Anatomy, word: Word) -> bool:
    """Whether a word parts a call from what follows: "f() that returns 2" is no example."""
    return anatomy.prompt[max(0, word.start - 2) : word.start] == ") "


def _verbs(anatomy: Anatomy) -> Iterator[Tagged]:
    for each in content_words(anatomy):
        if each.part == "verb":
            yield each


def _form(each: Tagged, form: str) -> Iterator[Site]:
    word = each.word
    if form and form != word.text.lower():
        yield Site((Edit(word.start, word.stop, match_case(form, word.text), "inflection"),))
