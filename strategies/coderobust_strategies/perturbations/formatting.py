"""Changes of format, which leave the syntax tree of the code equal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from coderobust_strategies.edit import Edit
from coderobust_strategies.perturbations.recode import TaskCode, edit_code
from coderobust_strategies.prompt.docstrings import Region, blank_out, regions
from coderobust_strategies.site import pick

_COMMA = re.compile(r",[ ](?=\S)")
_LONG = 8  # spaces that a continued line is indented by


def tab_indent(task: TaskCode, rng: Random) -> TaskCode | None:  # noqa: ARG001
    """Indents lines of code by tabs."""
    text = task.prompt + task.solution
    lines = list(_code_lines(text))
    indents = [stop - start for start, stop in lines if stop > start]
    if not indents or any(text[start:stop].count("\t") for start, stop in lines):
        return None
    unit = min(indents)  # one level; a task with any other indent is left alone
    if any(width % unit for width in indents):
        return None
    edits = [
        Edit(start, stop, "\t" * ((stop - start) // unit), "format")
        for start, stop in lines
        if stop > start
    ]
    return edit_code(task, edits)


def split_lines(task: TaskCode, rng: Random) -> TaskCode | None:
    """Breaks a line after a comma inside brackets."""
    text = task.prompt
    places = [match.end() for match in _COMMA.finditer(text) if _in_brackets(text, match.start())]
    if not places:
        return None
    place = pick(places, rng)
    start = task.prompt.rfind("\n", 0, place) + 1
    indent = re.match(r"[ \t]*", task.prompt[start:])
    lead = (indent.group() if indent else "") + " " * _LONG
    return edit_code(task, [Edit(place - 1, place, "\n" + lead, "format")])


def doc_to_comments(task: TaskCode, rng: Random) -> TaskCode | None:  # noqa: ARG001
    """Turns the entry point's docstring into comments."""
    region = _docstring(task)
    if region is None:
        return None
    text = task.prompt
    start = text.rfind("\n", 0, region.outer_start) + 1
    indent = text[start : region.outer_start]
    lines = text[region.start : region.stop].strip().split("\n")
    comments = "\n".join(f"{indent}# {line.strip()}".rstrip() for line in lines)
    return edit_code(task, [Edit(start, region.outer_stop, comments, "format")])


def newline_after_doc(task: TaskCode, rng: Random) -> TaskCode | None:  # noqa: ARG001
    """Adds a blank line after the docstring."""
    region = _docstring(task)
    end = task.prompt.find("\n", region.outer_stop) if region else -1
    return edit_code(task, [Edit(end, end, "\n", "format")]) if end >= 0 else None


def newline_after_code(task: TaskCode, rng: Random) -> TaskCode | None:  # noqa: ARG001
    """Adds a blank line at the end of the prompt, after its last line of code."""
    if not task.prompt.endswith("\n"):
        return None
    return edit_code(task, [Edit(len(task.prompt) - 1, len(task.prompt) - 1, "\n", "format")])


def newline_random(task: TaskCode, rng: Random) -> TaskCode | None:
    """Adds a blank line before some line of code."""
    places = [start for start, _ in _code_lines(task.prompt) if start]
    return edit_code(task, [_blank_line(pick(places, rng))]) if places else None


def _blank_line(place: int) -> Edit:
    return Edit(place, place, "\n", "format")


def _docstring(task: TaskCode) -> Region | None:
    found = [r for r in regions(task.prompt) if r.statement and not r.comment]
    owned = [region for region in found if region.owner == task.entry_point]
    return owned[0] if owned and owned[0].outer_stop < len(task.prompt) else None


def _code_lines(text: str) -> Iterator[tuple[int, int]]:
    """Yields the span of the indent of each line of code.

    Blank lines have none, nor do lines that start inside a string or brackets.
    """
    blank = blank_out(text)
    depth = position = 0
    for line in text.splitlines(keepends=True):
        indent = len(line) - len(line.lstrip(" \t"))
        code = blank[position : position + len(line)]
        inside = code[:1] == "\0"  # the line starts within a string
        if not depth and not inside and line.strip():
            yield position, position + indent
        depth = max(0, depth + _count_open(code))
        position += len(line)


def _in_brackets(text: str, place: int) -> bool:
    blank = blank_out(text)
    return blank[place] != "\0" and _count_open(blank[:place]) > 0


def _count_open(code: str) -> int:
    return sum((character in "([{") - (character in ")]}") for character in code)
