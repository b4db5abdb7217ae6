"""Tells the part of speech of the words of a description by rules; ambiguous words get none.

Closed word lists, LemmInflect's inventory of forms and a word's neighbours decide; the synonym
table, which lists each lemma in the sense that programming tasks use, settles what they leave
open. A wrong tag costs more than a missing one: perturbations leave an ambiguous word alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from coderobust_strategies.prompt.anatomy import Anatomy, Word
from coderobust_strategies.prompt.inflection import Reading, readings
from coderobust_strategies.prompt.lexicon import PartOfSpeech, closed_classes, synonyms

_NAME = "NAME"  # stands for protected text beside a word: most often a noun
_SENTENCE_END = re.compile(r"[.!?:;](?:\s|$)|\n[ \t]*\n|\n[ \t]*[-*][ \t]")
_TOKEN = re.compile(r"\w+")
_DETERMINERS = frozenset({"DT", "PRP$", "CD"})
_SUBJECTS = frozenset({"that", "which", "who", "it", "function", "program", "method"})
_ADVERBS = frozenset({"not", "never", "also", "always", "only", "just", "still", "already", "now"})
_BE = frozenset({"is", "are", "was", "were", "be", "been", "being", "am"})
_BEFORE_EITHER = frozenset({"", "and", "or", "then", "to", "please", ","})
_HAVE = frozenset({"has", "have", "had", "having"})


@dataclass(frozen=True, slots=True)
class Tagged:
    """A word of the description with what is known of it.

    Attributes:
        tag: Penn tag ("VBZ", "NNS"), AUX or NEG; "" when ambiguous or unknown.
        part: its open class, or "" for closed, ambiguous and unknown words.
        lemma: its base form in that class.
        before, after: the words beside it in lower case, adverbs before it left out; "NAME" for
            protected text, "" where a sentence starts or ends.
    """

    word: Word
    tag: str = ""
    part: PartOfSpeech | Literal[""] = ""
    lemma: str = ""
    before: str = ""
    after: str = ""


@lru_cache(maxsize=64)
def tagged(anatomy: Anatomy) -> tuple[Tagged, ...]:
    """Every eligible word of a prompt with its tag."""
    words = anatomy.words
    gaps = [_gap(anatomy, index) for index in range(len(words) + 1)]
    found: list[Tagged] = []
    for index, word in enumerate(words):
        before = gaps[index][1] or (words[index - 1].text.lower() if gaps[index][0] else "")
        after = gaps[index + 1][2] or (words[index + 1].text.lower() if gaps[index + 1][0] else "")
        if before in _ADVERBS and found:
            before = found[-1].before  # "does not have": what governs "have" is "does"
        found.append(_tag(word, before, after))
    return tuple(found)


def _gap(anatomy: Anatomy, index: int) -> tuple[bool, str, str]:
    """What stands between words: whether they share a sentence, and the short or protected
    text next to the following and to the preceding word."""
    words = anatomy.words
    start = words[index - 1].stop if index else 0
    stop = words[index].start if index < len(words) else len(anatomy.prompt)
    text = anatomy.prompt[start:stop] if index else ""
    joined = index not in (0, len(words)) and not _SENTENCE_END.search(text)
    sentences = _SENTENCE_END.split(text)
    left, right = _TOKEN.findall(sentences[0]), _TOKEN.findall(sentences[-1])
    return joined, _short(right[-1:]), _short(left[:1])


def _short(tokens: Sequence[str]) -> str:
    if not tokens:
        return ""
    return "a" if tokens[0] in {"a", "A"} else _NAME


def _tag(word: Word, before: str, after: str) -> Tagged:
    text = word.text.lower()
    closed = closed_classes().get(text)
    if closed:
        return Tagged(word, closed, before=before, after=after)
    chosen = _choose(readings(text), before, after)
    if chosen is None:
        return Tagged(word, before=before, after=after)
    return Tagged(word, chosen.tag, chosen.part, chosen.lemma, before, after)


def _choose(found: tuple[Reading, ...], before: str, after: str) -> Reading | None:
    """The only reading, else the one its place calls for, else the one the table lists."""
    found = _plausible(found)
    if len({reading.part for reading in found}) == 1:
        return _participle(found, before)
    called = _in_place(found, before, after)
    if called is not None:
        return called
    listed = [reading for reading in found if (reading.part, reading.lemma) in synonyms()]
    if len({reading.part for reading in listed}) == 1:
        return _participle(tuple(listed), before)
    nouns = [reading for reading in listed if reading.part == "noun"]
    return nouns[0] if nouns and before not in _BEFORE_EITHER and not _is_pronoun(before) else None


def _is_pronoun(word: str) -> bool:
    return closed_classes().get(word) == "PRP"


def _plausible(found: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """Drops lemmas that programming tasks do not mean where a listed one fits ("numb", "found")."""
    listed = {reading.part for reading in found if (reading.part, reading.lemma) in synonyms()}
    kept = [
        reading
        for reading in found
        if reading.part not in listed or (reading.part, reading.lemma) in synonyms()
    ]
    firm = [r for r in kept if r.part != "adverb" or (r.part, r.lemma) in synonyms()]
    bare = [r for r in firm if not (r.tag in {"JJR", "JJS"} and _is_base(firm))]
    if any(r.part == "noun" and ("noun", r.lemma) in synonyms() for r in bare):
        return tuple(bare)
    verbal = [r for r in bare if r.tag in {"VBN", "VBD", "VBG"}]
    return tuple(verbal or bare or firm or kept)


def _is_base(found: Sequence[Reading]) -> bool:
    return any(r.tag == "NN" and ("noun", r.lemma) in synonyms() for r in found)


def _in_place(found: tuple[Reading, ...], before: str, after: str) -> Reading | None:
    tag = closed_classes().get(before, "")
    next_tag = closed_classes().get(after, "")
    by_tag = {reading.tag: reading for reading in reversed(found)}
    listed = any(r.part == "verb" and ("verb", r.lemma) in synonyms() for r in found)
    noun = by_tag.get("NN") or by_tag.get("NNS")
    if tag in {"MD", "NEG"} or before in {"do", "does", "did"}:
        return by_tag.get("VB")
    if not before and listed and next_tag not in {"AUX", "MD"} and after not in {"of", "to", ""}:
        return by_tag.get("VB") or by_tag.get("VBN")
    if before == "to" and listed and next_tag in {"DT", "PRP$", "CD", "IN", "WRB"}:
        return by_tag.get("VB")
    if before in _BE:
        return by_tag.get("VBN") or by_tag.get("VBG") or by_tag.get("JJ")
    if before in _HAVE:
        return by_tag.get("VBN") or noun
    if before in _SUBJECTS and listed and "VBZ" in by_tag:
        return by_tag["VBZ"]
    if tag in _DETERMINERS or tag == "IN":
        return _in_noun_phrase(by_tag, noun, after, next_tag)
    return None


def _in_noun_phrase(
    by_tag: dict[str, Reading], noun: Reading | None, after: str, next_tag: str
) -> Reading | None:
    """After a determiner or preposition: a modifier if a noun may follow, else the noun."""
    followed = bool(after) and not next_tag and after != _NAME
    modifier = by_tag.get("JJ") or by_tag.get("VBN") or by_tag.get("VBG")
    if modifier is not None and followed and any(r.part == "noun" for r in readings(after)):
        return modifier if noun is None or noun.tag != "NN" or modifier.tag == "JJ" else None
    return noun if not followed or modifier is None else None


def _participle(found: tuple[Reading, ...], before: str) -> Reading:
    """Of a verb's equal forms: the past tense after a personal pronoun, else the participle."""
    by_tag = {reading.tag: reading for reading in reversed(found)}
    if "VBD" in by_tag and "VBN" in by_tag:
        return by_tag["VBD"] if _is_pronoun(before) else by_tag["VBN"]
    return found[0]
