"""Finds the part of speech of each word of a description by rules; ambiguous words get none.

Closed word lists, LemmInflect's forms and the neighbours of a word decide. What they leave open,
the synonym table settles: it lists each lemma in the sense that programming tasks use. A wrong tag
costs more than a missing one, because perturbations leave an ambiguous word alone.
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

_NAME = "NAME"  # a neighbour that is protected text: most often a noun
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
    """A word of the description and its part of speech.

    Attributes:
        tag: Penn tag ("VBZ", "NNS"), AUX or NEG; "" when ambiguous or unknown.
        part: its open class, or "" for closed, ambiguous and unknown words.
        lemma: its base form in that class.
        before, after: the words beside it in lower case, adverbs before it left out. They are
            "NAME" for protected text and "" where a sentence starts or ends.
    """

    word: Word
    tag: str = ""
    part: PartOfSpeech | Literal[""] = ""
    lemma: str = ""
    before: str = ""
    after: str = ""


@lru_cache(maxsize=64)
def tag_words(anatomy: Anatomy) -> tuple[Tagged, ...]:
    """Tags every eligible word of a prompt."""
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
    """Reads the text between word `index - 1` and word `index`.

    Returns whether both are in one sentence, then the token right before the later word and the
    token right after the earlier word, as `_short` gives them.
    """
    words = anatomy.words
    start = words[index - 1].stop if index else 0
    stop = words[index].start if index < len(words) else len(anatomy.prompt)
    text = anatomy.prompt[start:stop] if index else ""
    joined = index not in (0, len(words)) and not _SENTENCE_END.search(text)
    sentences = _SENTENCE_END.split(text)
    left, right = _TOKEN.findall(sentences[0]), _TOKEN.findall(sentences[-1])
    return joined, _short(right[-1:]), _short(left[:1])


def _short(tokens: Sequence[str]) -> str:
    # "a" is too short to be an eligible word, but a determiner. Anything else counts as protected.
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
    """Chooses a reading: the only one, else the one that the neighbours ask for, else a listed one.

    None where more than one reading is left.
    """
    found = _plausible(found)
    if len({reading.part for reading in found}) == 1:
        return _participle(found, before)
    called = _in_place(found, before, after)
    if called is not None:
        return called
    listed = [reading for reading in found if (reading.part, reading.lemma) in synonyms()]
    if len({reading.part for reading in listed}) == 1:
        return _participle(tuple(listed), before)
    # Several parts are listed. A noun is likely, except where a verb may begin.
    nouns = [reading for reading in listed if reading.part == "noun"]
    return nouns[0] if nouns and before not in _BEFORE_EITHER and not _is_pronoun(before) else None


def _is_pronoun(word: str) -> bool:
    return closed_classes().get(word) == "PRP"


def _plausible(found: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """Drops lemmas that programming tasks do not mean where a listed one fits ("numb", "found").

    The result is that of the last step that left a reading.
    """
    listed = {reading.part for reading in found if (reading.part, reading.lemma) in synonyms()}
    kept = [
        reading
        for reading in found
        if reading.part not in listed or (reading.part, reading.lemma) in synonyms()
    ]
    # An adverb counts only if the table lists it.
    firm = [r for r in kept if r.part != "adverb" or (r.part, r.lemma) in synonyms()]
    # A listed noun is not also a comparative ("number" is not the comparative of "numb").
    bare = [r for r in firm if not (r.tag in {"JJR", "JJS"} and _is_base(firm))]
    if any(r.part == "noun" and ("noun", r.lemma) in synonyms() for r in bare):
        return tuple(bare)
    # Without a listed noun, the past and -ing forms of a verb exclude all else.
    verbal = [r for r in bare if r.tag in {"VBN", "VBD", "VBG"}]
    return tuple(verbal or bare or firm or kept)


def _is_base(found: Sequence[Reading]) -> bool:
    return any(r.tag == "NN" and ("noun", r.lemma) in synonyms() for r in found)


def _in_place(found: tuple[Reading, ...], before: str, after: str) -> Reading | None:
    """Finds the reading that the words beside it ask for, or None where they do not decide.

    The rules run from the surest to the weakest; the first that applies answers, even with None.
    "Listed" means that the synonym table has the word as a verb.
    """
    tag = closed_classes().get(before, "")
    next_tag = closed_classes().get(after, "")
    by_tag = {reading.tag: reading for reading in reversed(found)}  # the first of a tag wins
    listed = any(r.part == "verb" and ("verb", r.lemma) in synonyms() for r in found)
    noun = by_tag.get("NN") or by_tag.get("NNS")
    # "must count", "does not count": a modal or "do" takes the base form.
    if tag in {"MD", "NEG"} or before in {"do", "does", "did"}:
        return by_tag.get("VB")
    # "Count the ...": an imperative. In "count of ..." and "count is ..." the word is a noun.
    if not before and listed and next_tag not in {"AUX", "MD"} and after not in {"of", "to", ""}:
        return by_tag.get("VB") or by_tag.get("VBN")
    # "to count the": an infinitive. Without such a word after it, "to" may be a preposition.
    if before == "to" and listed and next_tag in {"DT", "PRP$", "CD", "IN", "WRB"}:
        return by_tag.get("VB")
    # "is sorted", "are counting", "is even".
    if before in _BE:
        return by_tag.get("VBN") or by_tag.get("VBG") or by_tag.get("JJ")
    # "has returned", but also "has elements".
    if before in _HAVE:
        return by_tag.get("VBN") or noun
    # "a function that returns": a subject in the singular takes the third person.
    if before in _SUBJECTS and listed and "VBZ" in by_tag:
        return by_tag["VBZ"]
    # "the sorted list", "of numbers": a determiner or preposition opens a noun phrase.
    if tag in _DETERMINERS or tag == "IN":
        return _in_noun_phrase(by_tag, noun, after, next_tag)
    return None


def _in_noun_phrase(
    by_tag: dict[str, Reading], noun: Reading | None, after: str, next_tag: str
) -> Reading | None:
    """Reads the word after a determiner or preposition.

    It is a modifier if a noun may follow, else a noun, and None where both fit ("the set union").
    """
    followed = bool(after) and not next_tag and after != _NAME
    modifier = by_tag.get("JJ") or by_tag.get("VBN") or by_tag.get("VBG")
    if modifier is not None and followed and any(r.part == "noun" for r in readings(after)):
        return modifier if noun is None or noun.tag != "NN" or modifier.tag == "JJ" else None
    return noun if not followed or modifier is None else None


def _participle(found: tuple[Reading, ...], before: str) -> Reading:
    """Chooses between equal forms of a verb: past tense after a pronoun, else the participle."""
    by_tag = {reading.tag: reading for reading in reversed(found)}
    if "VBD" in by_tag and "VBN" in by_tag:
        return by_tag["VBD"] if _is_pronoun(before) else by_tag["VBN"]
    return found[0]
