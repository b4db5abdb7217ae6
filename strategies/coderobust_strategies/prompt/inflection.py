"""The forms of English words from LemmInflect, which the first look-up imports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from coderobust_strategies.prompt.lexicon import PartOfSpeech, synonyms

_TAGS: dict[str, tuple[PartOfSpeech, tuple[str, ...]]] = {
    "VERB": ("verb", ("VB", "VBZ", "VBG", "VBN", "VBD")),
    "NOUN": ("noun", ("NN", "NNS")),
    "ADJ": ("adjective", ("JJ", "JJR", "JJS")),
    "ADV": ("adverb", ("RB",)),
}
_UNIVERSAL = {part: universal for universal, (part, _) in _TAGS.items()}


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a word: a form (Penn tag) of a lemma."""

    part: PartOfSpeech
    lemma: str
    tag: str


@lru_cache(maxsize=8192)
def readings(word: str) -> tuple[Reading, ...]:
    """Lists the readings of a lower-case word; the tuple is empty when no dictionary has it.

    The synonym table knows words of programming that LemmInflect lacks ("sublist").
    """
    found: list[Reading] = []
    for universal, lemmas in _library().getAllLemmas(word).items():
        if universal in _TAGS:
            for lemma in lemmas:
                found.extend(_forms(word, universal, lemma))
    return tuple(found) or tuple(_regular(word))


def _forms(word: str, universal: str, lemma: str) -> Iterator[Reading]:
    part, tags = _TAGS[universal]
    for tag in tags:
        spellings = inflections(lemma, tag)
        # A word equal to its lemma ("sheep") is read as the singular, not as a plural too.
        if word in spellings and not (tag == "NNS" and word == lemma):
            yield Reading(part, lemma, tag)


def _regular(word: str) -> Iterator[Reading]:
    for tag, lemma in (("NN", word), ("NNS", word.removesuffix("s"))):
        if ("noun", lemma) in synonyms():
            yield Reading("noun", lemma, tag)
            return


@lru_cache(maxsize=16384)
def inflections(lemma: str, tag: str) -> tuple[str, ...]:
    """Lists the spellings of a lemma's form, the usual one first; unknown lemmas follow rules."""
    if tag in {"NN", "VB", "VBP", "JJ", "RB"}:
        return (lemma,)
    spellings: tuple[str, ...] = _library().getInflection(lemma, tag)
    return spellings


def inflect(lemma: str, tag: str) -> str:
    """Returns the usual spelling of a lemma's form, or "" where it has none (JJS of "numeric")."""
    if tag in {"JJR", "JJS"} and not _compares(lemma):
        return ""
    spellings = inflections(lemma, tag)
    return spellings[0] if spellings else ""


def inflect_phrase(phrase: str, part: PartOfSpeech, tag: str) -> str:
    """Inflects a synonym of one or more words to the form `tag`, or returns "" where it has none.

    In a phrase the word before "|" inflects. Without that mark it is the first word of a verb and
    the last word of anything else.
    """
    words = phrase.split(" ")
    marked = [index for index, word in enumerate(words) if word.endswith("|")]
    head = marked[0] if marked else (0 if part == "verb" else len(words) - 1)
    if tag in {"JJR", "JJS"} and len(words) > 1:
        return ""
    words[head] = inflect(words[head].removesuffix("|"), tag)
    return " ".join(words) if words[head] else ""


def other_forms(part: PartOfSpeech, lemma: str, word: str) -> tuple[str, ...]:
    """Lists the forms of a lemma in its part of speech, except `word`, in the order of the tags."""
    _, tags = _TAGS[_UNIVERSAL[part]]
    forms = [inflect(lemma, tag) for tag in tags]
    return tuple(dict.fromkeys(form for form in forms if form and form != word))


def _compares(lemma: str) -> bool:
    """Says whether an adjective takes -er and -est; LemmInflect's rules give "numericest"."""
    return "JJS" in _library().getAllInflections(lemma, "ADJ")


def _library() -> Any:
    """Imports LemmInflect, which publishes no types. Its tables load with the first look-up."""
    import lemminflect  # type: ignore[import-untyped]

    return lemminflect
