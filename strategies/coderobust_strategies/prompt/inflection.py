"""English word forms through LemmInflect, imported when the first word is looked up."""

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
    """One way to read a word: a form (Penn tag) of a lemma."""

    part: PartOfSpeech
    lemma: str
    tag: str


@lru_cache(maxsize=8192)
def readings(word: str) -> tuple[Reading, ...]:
    """Every reading of a lower-case word; empty when no dictionary has it.

    Words of programming that LemmInflect lacks ("sublist") are read through the synonym table.
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
        if word in spellings and not (tag == "NNS" and word == lemma):
            yield Reading(part, lemma, tag)


def _regular(word: str) -> Iterator[Reading]:
    for tag, lemma in (("NN", word), ("NNS", word.removesuffix("s"))):
        if ("noun", lemma) in synonyms():
            yield Reading("noun", lemma, tag)
            return


@lru_cache(maxsize=16384)
def inflections(lemma: str, tag: str) -> tuple[str, ...]:
    """The spellings of a lemma's form, the usual one first; rules apply to unknown lemmas."""
    if tag in {"NN", "VB", "VBP", "JJ", "RB"}:
        return (lemma,)
    spellings: tuple[str, ...] = _library().getInflection(lemma, tag)
    return spellings


def inflect(lemma: str, tag: str) -> str:
    """The usual spelling of a lemma's form, or "" where it has none ("numeric" has no JJS)."""
    if tag in {"JJR", "JJS"} and not _compares(lemma):
        return ""
    spellings = inflections(lemma, tag)
    return spellings[0] if spellings else ""


def inflect_phrase(phrase: str, part: PartOfSpeech, tag: str) -> str:
    """A synonym of one or more words in the form `tag`, or "" where it has none.

    Of several words the one before "|" inflects; else a verb's first and a noun's last.
    """
    words = phrase.split(" ")
    marked = [index for index, word in enumerate(words) if word.endswith("|")]
    head = marked[0] if marked else (0 if part == "verb" else len(words) - 1)
    if tag in {"JJR", "JJS"} and len(words) > 1:
        return ""
    words[head] = inflect(words[head].removesuffix("|"), tag)
    return " ".join(words) if words[head] else ""


def other_forms(part: PartOfSpeech, lemma: str, word: str) -> tuple[str, ...]:
    """Every form of a lemma besides `word` within its part of speech, in the order of the tags."""
    _, tags = _TAGS[_UNIVERSAL[part]]
    forms = [inflect(lemma, tag) for tag in tags]
    return tuple(dict.fromkeys(form for form in forms if form and form != word))


def _compares(lemma: str) -> bool:
    """Whether an adjective takes -er and -est: LemmInflect's rules would make "numericest"."""
    return "JJS" in _library().getAllInflections(lemma, "ADJ")


def _library() -> Any:
    """LemmInflect, which publishes no types; its tables load with the first look-up."""
    import lemminflect  # type: ignore[import-untyped]

    return lemminflect
