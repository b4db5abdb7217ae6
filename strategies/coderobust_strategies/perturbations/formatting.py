"""Changes of format that leave the syntax tree of the code equal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from coderobust_strategies.edit import Edit
from coderobust_strategies.perturbations.recode import TaskCode, edited
from coderobust_strategies.prompt.docstrings import Region, regions
from coderobust_strategies.site import pick

_COMMA = re.compile(r",[ ](?=\S)")
_LONG = 8  # spaces that a continued line is indented by


def tab_indent(task: TaskCode, rng: Random) -> TaskCode | None:  # noqa: ARG001
    """Code lines are indented by tabs."""
    text = task.prompt + task.solution
    lines = list(_code_lines(text))
    indents = [stop - start for start, stop in lines if stop > start]
    if not indents or any(text[start:stop].count("\t") for start, stop in lines):
        return None
    unit = min(indents)
    if any(width % unit for width in indents):
        return None
    edits = [
        Edit(start, stop, "\t" * ((stop - start) // unit), "format")
        for start, stop in lines
        if stop > start
    ]
    return edited(task, edits)


def split_lines(task: TaskCode, rng: Random) -> TaskCode | None:
    """A line is broken after a comma inside brackets."""
    text = task.prompt
    places = [match.end() for match in _COMMA.finditer(text) if _in_brackets(text, match.start())]
    if not places:
        return None
    place = pick(places, rng)
    start = task.prompt.rfind("\n", 0, place) + 1
    indent = re.match(r"[ \t]*", task.prompt[start:])
    lead = (indent.group() if indent else "") + " " * _LONG
    return edited(task, [Edit(place - 1, place, "\n" + lead, "format")])


def doc_to_comments(task: TaskCode, rng: Random) -> TaskCode | None:  # noqa: ARG001
    """The entry point's docstring becomes comments."""
    region = _docstring(task)
    if region is None:
        return None
    text = task.prompt
    start = text.rfind("\n", 0, region.outer_start) + 1
    indent = text[start : region.outer_start]
    lines = text[region.start : region.stop].strip().split("\n")
    comments = "\n".join(f"{indent}# {line.strip()}".rstrip() for line in lines)
    return edited(task, [Edit(start, region.outer_stop, comments, "format")])


def newline_after_doc(task: TaskCode, rng: Random) -> TaskCode | None:  # noqa: ARG001
    """A blank line follows the docstring."""
    region = _docstring(task)
    end = task.prompt.find("\n", region.outer_stop) if region else -1
    return edited(task, [Edit(end, end, "\n", "format")]) if end >= 0 else None


def newline_after_code(task: TaskCode, rng: Random) -> TaskCode | None:  # noqa: ARG001
    """A blank line ends the prompt, after its last line of code."""
    if not task.prompt.endswith("\n"):
        return None
    return edited(task, [Edit(len(task.prompt) - 1, len(task.prompt) - 1, "\n", "format")])


def newline_random(task: TaskCode, rng: Random) -> TaskCode | None:
    """A blank line stands before some line of code."""
    places = [start for start, _ in _code_lines(task.prompt) if start]
    return edited(task, [_blank_line(pick(places, rng))]) if places else None


def _blank_line(place: int) -> Edit:
    return Edit(place, place, "\n", "format")


def _docstring(task: TaskCode) -> Region | None:
    found = [r for r in regions(task.prompt) if r.statement and not r.comment]
    owned = [region for region in found if region.owner == task.entry_point]
    return owned[0] if owned and owned[0].outer_stop < len(task.prompt) else None


def _code_lines(text: str) -> Iterator[tuple[int, int]]:
    """The indent of each line that starts outside strings and brackets and is not blank."""
    blank = _without_strings(text)
    depth = position = 0
    for line in text.splitlines(keepends=True):
        indent = len(line) - len(line.lstrip(" \t"))
        code = blank[position : position + len(line)]
        inside = code[:1] == "\0"  # the line starts within a string
        if not depth and not inside and line.strip():
            yield position, position + indent
        depth = max(0, depth + _opened(code))
        position += len(line)


def _in_brackets(text: str, place: int) -> bool:
    blank = _without_strings(text)
    return blank[place] != "\0" and _opened(blank[:place]) > 0


def _opened(code: str) -> int:
    return sum((character in "([{") - (character in ")]}") for character in code)


def _without_strings(text: str) -> str:
    """The text with NUL for each character of a string or comment."""
    pieces: list[str] = []
    end = 0
    for region in regions(text):
        length = region.outer_stop - region.outer_start
        pieces += (text[end : region.outer_start], "\0" * length)
        end = region.outer_stop
    return "".join((*pieces, text[end:]))
