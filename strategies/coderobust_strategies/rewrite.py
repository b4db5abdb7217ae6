"""Turns the output of a rewriter (back-translation, a paraphraser, a recorded row) into edits.

The words of both texts are aligned, and each stretch that differs becomes one edit. A rewritten
prompt therefore shrinks like any other. A rewriter sees a paragraph as one line. Its words are
then spread over the lines of the clean prompt, so that line breaks and indents stay the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher

from coderobust_strategies.edit import Edit
from coderobust_strategies.prompt.anatomy import Anatomy
from coderobust_strategies.prompt.protection import Span

Rewriter = Callable[[str], str]
"""A function from a paragraph of prose on one line to its rewritten form."""

KIND = "paraphrase"
_LONGEST_ALIGNED = 1500  # tokens
_TOKEN = re.compile(r"\S+")
_PARAGRAPH_END = re.compile(r"\n[ \t\r]*\n|\n(?=[ \t]*(?:[-*•@]|\d+[.)])\s)")


def rewrite(anatomy: Anatomy, rewriter: Rewriter) -> tuple[Edit, ...]:
    """Makes the edits that replace each paragraph of the description by the rewriter's words.

    Nothing is protected: a rewriter may change a number. The auditor finds out whether it did.
    """
    edits: list[Edit] = []
    for start, stop in find_paragraphs(anatomy):
        text = anatomy.prompt[start:stop]
        answer = rewriter(flatten(anatomy, start, stop))
        if answer.strip():
            edits.extend(_shift(_align(text, answer, anatomy, start), start))
    return tuple(edits)


def diff(clean: str, variant: str) -> tuple[Edit, ...]:
    """Makes the edits that turn a clean prompt into a variant of it, white space included.

    Applying all of them gives the variant byte for byte.
    """
    old, new = re.findall(r"\s+|\w+|[^\w\s]", clean), re.findall(r"\s+|\w+|[^\w\s]", variant)
    ends = [0]  # ends[n]: the offset at which the first n tokens of the clean prompt end
    for token in old:
        ends.append(ends[-1] + len(token))
    return tuple(
        Edit(ends[i], ends[j], "".join(new[k:m]), KIND)
        for tag, i, j, k, m in _opcodes(old, new)
        if tag != "equal"
    )


def find_paragraphs(anatomy: Anatomy) -> Iterator[Span]:
    """Yields the paragraphs of prose: each ends at a blank line, a list item or an example."""
    for segment in anatomy.segments:
        if segment.kind == "prose":
            start = segment.start
            text = anatomy.prompt[segment.start : segment.stop]
            for end in (*_PARAGRAPH_END.finditer(text), None):
                stop = segment.start + end.start() if end else segment.stop
                if any(start <= word.start < stop for word in anatomy.words):
                    yield start, stop
                start = segment.start + end.end() if end else stop


def flatten(anatomy: Anatomy, start: int, stop: int) -> str:
    """Joins a paragraph to one line without comment marks, the form that a rewriter sees."""
    return " ".join(word.group() for word in _words(anatomy, start, stop))


def _opcodes(old: Sequence[str], new: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    """Aligns two lists of tokens: `difflib`'s opcodes that turn the old one into the new one.

    Very long differences become one stretch, since the alignment takes quadratic time.
    """
    # Cutting off what both begin and end with leaves the short middle for the alignment.
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    tail = next((n for n in range(shorter - head) if old[-1 - n] != new[-1 - n]), shorter - head)
    i, j, k, m = head, len(old) - tail, head, len(new) - tail
    if (j - i) * (m - k) > _LONGEST_ALIGNED**2:
        return [("replace", i, j, k, m)]
    codes = SequenceMatcher(None, old[i:j], new[k:m], autojunk=False).get_opcodes()
    return [(tag, a + i, b + i, c + k, d + k) for tag, a, b, c, d in codes]


def _words(anatomy: Anatomy, start: int, stop: int) -> list[re.Match[str]]:
    """Finds the words of a paragraph and leaves out its comment marks."""
    found = _TOKEN.finditer(anatomy.prompt, start, stop)
    return [word for word in found if word.group().strip("#/*") or len(word.group()) > 3]


def _align(text: str, answer: str, anatomy: Anatomy, start: int) -> Iterator[Edit]:
    """Yields the edits of a paragraph as offsets into `text`; line breaks inside stay."""
    matches = _words(anatomy, start, start + len(text))
    old, new = [match.group() for match in matches], answer.split()
    places = [(match.start() - start, match.end() - start) for match in matches]
    for tag, i, j, k, m in _opcodes(old, new):
        if tag == "insert":
            yield _insert(places, i, new[k:m])
        elif tag == "delete":
            yield _delete(text, places, i, j)
        elif tag == "replace":
            # The gaps between the old words: the new words flow around their line breaks.
            breaks = [text[places[n][1] : places[n + 1][0]] for n in range(i, j - 1)]
            yield Edit(places[i][0], places[j - 1][1], _flow(new[k:m], breaks), KIND)


def _insert(places: Sequence[Span], index: int, words: Sequence[str]) -> Edit:
    if index == 0:
        return Edit(places[0][0], places[0][0], " ".join(words) + " ", KIND)
    place = places[index - 1][1]
    return Edit(place, place, " " + " ".join(words), KIND)


def _delete(text: str, places: Sequence[Span], start: int, stop: int) -> Edit:
    """Removes words and one space beside them; line breaks between them stay."""
    first, last = places[start][0], places[stop - 1][1]
    kept = "".join(re.findall(r"\n[ \t]*", text[first:last]))
    if not kept and text[last : last + 1] == " ":
        return Edit(first, last + 1, "", KIND)
    if not kept and first and text[first - 1] == " " and text[:first].strip():
        return Edit(first - 1, last, "", KIND)
    return Edit(first, last, kept, KIND)


def _flow(words: Sequence[str], breaks: Sequence[str]) -> str:
    """Joins new words and puts each old line break where it was in proportion."""
    lines = [(index, gap) for index, gap in enumerate(breaks, 1) if "\n" in gap]
    # A break after word `index` of the old words moves to the same share of the new ones. More
    # than one break may fall on one spot where there are fewer words than before.
    spots: dict[int, str] = {}
    for index, gap in lines:
        spot = round(index * len(words) / (len(breaks) + 1))
        spots[spot] = spots.get(spot, "") + gap
    pieces = [spots.get(0, "")]
    for number, word in enumerate(words, 1):
        last = number == len(words)
        pieces += (word, spots.get(number, "" if last else " "))
    return "".join(pieces)


def _shift(edits: Iterator[Edit], offset: int) -> Iterator[Edit]:
    for edit in edits:
        yield Edit(edit.start + offset, edit.stop + offset, edit.replacement, edit.kind)
