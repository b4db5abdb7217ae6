"""Turns what an opaque rewriter did (back-translation, a paraphraser, a recorded row) into edits.

The words of both texts are aligned; each stretch that differs becomes one edit, so that a rewritten
prompt shrinks like any other. Line breaks and indents are the clean prompt's: a rewriter sees a
paragraph as one line, and its words flow back into the lines that were there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher

from coderobust_strategies.edit import Edit
from coderobust_strategies.prompt.anatomy import Anatomy
from coderobust_strategies.prompt.protection import Span

Rewriter = Callable[[str], str]
"""Takes a paragraph of prose on one line; gives its rewritten form."""

KIND = "paraphrase"
_LONGEST_ALIGNED = 1500  # tokens
_TOKEN = re.compile(r"\S+")
_PARAGRAPH_END = re.compile(r"\n[ \t\r]*\n|\n(?=[ \t]*(?:[-*•@]|\d+[.)])\s)")


def rewritten(anatomy: Anatomy, rewriter: Rewriter) -> tuple[Edit, ...]:
    """The edits that put a rewriter's words in place of each paragraph of the description.

    Nothing is protected: a rewriter may change a number. Whether it did is the auditor's to say.
    """
    edits: list[Edit] = []
    for start, stop in paragraphs(anatomy):
        text = anatomy.prompt[start:stop]
        answer = rewriter(flat(anatomy, start, stop))
        if answer.strip():
            edits.extend(_shifted(_aligned(text, answer, anatomy, start), start))
    return tuple(edits)


def recorded(clean: str, variant: str) -> tuple[Edit, ...]:
    """The edits from a clean prompt to a recorded variant of it, white space included.

    Applying all of them gives the variant byte for byte.
    """
    old, new = re.findall(r"\s+|\w+|[^\w\s]", clean), re.findall(r"\s+|\w+|[^\w\s]", variant)
    ends = [0]
    for token in old:
        ends.append(ends[-1] + len(token))
    return tuple(
        Edit(ends[i], ends[j], "".join(new[k:m]), KIND)
        for tag, i, j, k, m in _opcodes(old, new)
        if tag != "equal"
    )


def paragraphs(anatomy: Anatomy) -> Iterator[Span]:
    """Stretches of prose that hold together: up to a blank line, a list item or an example."""
    for segment in anatomy.segments:
        if segment.kind == "prose":
            start = segment.start
            text = anatomy.prompt[segment.start : segment.stop]
            for end in (*_PARAGRAPH_END.finditer(text), None):
                stop = segment.start + end.start() if end else segment.stop
                if any(start <= word.start < stop for word in anatomy.words):
                    yield start, stop
                start = segment.start + end.end() if end else stop


def flat(anatomy: Anatomy, start: int, stop: int) -> str:
    """A paragraph on one line, without comment marks: what a rewriter gets to see."""
    return " ".join(word.group() for word in _words(anatomy, start, stop))


def _opcodes(old: Sequence[str], new: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    """How one list of tokens becomes another; where very much differs, as one stretch, since
    aligning takes quadratic time."""
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    tail = next((n for n in range(shorter - head) if old[-1 - n] != new[-1 - n]), shorter - head)
    i, j, k, m = head, len(old) - tail, head, len(new) - tail
    if (j - i) * (m - k) > _LONGEST_ALIGNED**2:
        return [("replace", i, j, k, m)]
    codes = SequenceMatcher(None, old[i:j], new[k:m], autojunk=False).get_opcodes()
    return [(tag, a + i, b + i, c + k, d + k) for tag, a, b, c, d in codes]


def _words(anatomy: Anatomy, start: int, stop: int) -> list[re.Match[str]]:
    """The words of a paragraph, without comment marks."""
    found = _TOKEN.finditer(anatomy.prompt, start, stop)
    return [word for word in found if word.group().strip("#/*") or len(word.group()) > 3]


def _aligned(text: str, answer: str, anatomy: Anatomy, start: int) -> Iterator[Edit]:
    """Edits of a paragraph, as offsets into `text`; a stretch keeps the breaks it had inside."""
    matches = _words(anatomy, start, start + len(text))
    old, new = [match.group() for match in matches], answer.split()
    places = [(match.start() - start, match.end() - start) for match in matches]
    for tag, i, j, k, m in _opcodes(old, new):
        if tag == "insert":
            yield _inserted(places, i, new[k:m])
        elif tag == "delete":
            yield _deleted(text, places, i, j)
        elif tag == "replace":
            breaks = [text[places[n][1] : places[n + 1][0]] for n in range(i, j - 1)]
            yield Edit(places[i][0], places[j - 1][1], _flow(new[k:m], breaks), KIND)


def _inserted(places: Sequence[Span], index: int, words: Sequence[str]) -> Edit:
    if index == 0:
        return Edit(places[0][0], places[0][0], " ".join(words) + " ", KIND)
    place = places[index - 1][1]
    return Edit(place, place, " " + " ".join(words), KIND)


def _deleted(text: str, places: Sequence[Span], start: int, stop: int) -> Edit:
    """Words without the space that goes with them; line breaks among them stay."""
    first, last = places[start][0], places[stop - 1][1]
    kept = "".join(re.findall(r"\n[ \t]*", text[first:last]))
    if not kept and text[last : last + 1] == " ":
        return Edit(first, last + 1, "", KIND)
    if not kept and first and text[first - 1] == " " and text[:first].strip():
        return Edit(first - 1, last, "", KIND)
    return Edit(first, last, kept, KIND)


def _flow(words: Sequence[str], breaks: Sequence[str]) -> str:
    """New words with the old line breaks among them, spread as they were."""
    lines = [(index, gap) for index, gap in enumerate(breaks, 1) if "\n" in gap]
    spots: dict[int, str] = {}
    for index, gap in lines:
        spot = round(index * len(words) / (len(breaks) + 1))
        spots[spot] = spots.get(spot, "") + gap
    pieces = [spots.get(0, "")]
    for number, word in enumerate(words, 1):
        last = number == len(words)
        pieces += (word, spots.get(number, "" if last else " "))
    return "".join(pieces)


def _shifted(edits: Iterator[Edit], offset: int) -> Iterator[Edit]:
    for edit in edits:
        yield Edit(edit.start + offset, edit.stop + offset, edit.replacement, edit.kind)
