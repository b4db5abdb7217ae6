"""Solutions from completions: the whole program that is judged.

A completion either continues the prompt or repeats the whole function, perhaps inside chat. A
continuation keeps the clean prompt in front. Its indentation is repaired where that alone makes it
valid Python. It ends where the function ends; of the code after that, only what the function needs
stays (helpers, constants, imports). A repeated function goes behind the task's preamble, with what
it needs. Time is linear in the completion.

Not covered: code that reaches a helper only through its name in a string; methods of a class.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from pytest_coderobust.models.extraction.blocks import (
    broken_line,
    keep_needed,
    names_of,
    split_blocks,
)
from pytest_coderobust.models.extraction.braces import extract_braced
from pytest_coderobust.models.extraction.fences import is_indented, strip_chat
from pytest_coderobust.records import Task

EXTRACTOR_VERSION = "1"
"""Raised whenever the same completion might become another solution; part of verdicts' keys."""

Mode = Literal["code", "raw"]

_TRIMS = 8
_FUTURE = "from __future__"
_RETURN = re.compile(r"(?:return|yield)\b")
_ELSEWHERE = re.compile(
    r"(?:async\s+def|def|class|import|from|assert)\s|@|print\(|if\s+__name__|[\"']"
)
_NOWHERE = re.compile(r"(?!)")
_DOCSTRING = re.compile(r"^([ \t]+)[rRuU]?(?:\"\"\"|''')", re.M)


def extract(completion: str, task: Task, mode: Mode = "code") -> str:
    """Extracts the program to judge from a completion.

    Args:
        mode: "raw" is the prompt and the completion, nothing cut and nothing repaired.
    """
    if mode == "raw":
        return task.prompt + completion
    if task.tests.style == "stdio":  # the prompt is a docstring, the answer a whole program
        return task.prompt + strip_chat(completion, _NOWHERE)
    if task.language != "python":
        return extract_braced(completion, task)
    defines = _definition(task.entry_point)
    code = strip_chat(completion, defines)
    found = defines.search(code)
    if found and not is_indented(code):
        whole = _whole_function(code, task)
        if whole is not None:
            return whole
    continued = _continuation(code, task)
    if continued is not None:
        return continued
    return (task.preamble if found else task.prompt) + code


def _whole_function(code: str, task: Task) -> str | None:
    """Takes the function as the completion repeats it; None when that is not valid Python."""
    blocks = split_blocks(code)
    future = "".join(_close_line(block) for block in blocks if block.startswith(_FUTURE))
    preamble = names_of(task.preamble)  # None where the prompt begins with prose
    needed = {task.entry_point, *(preamble.needed if preamble else ())}
    kept = keep_needed([block for block in blocks if not block.startswith(_FUTURE)], needed)
    source = "".join(_close_line(block) for block in kept)
    found = names_of(source)
    if found is None or task.entry_point not in found.bound:
        return None
    return future + (_close_line(task.preamble) if preamble else "") + source


def _continuation(code: str, task: Task) -> str | None:
    """Gives the prompt the completion's body; None when that is not valid Python."""
    broken: str | None = None
    for joined in _repairs(code, task):
        head, rest = _cut_body(joined, len(task.prompt))
        if not _has_code(head[len(task.prompt) :]):
            continue
        if (named := names_of(head)) is not None:
            kept = keep_needed(rest, named.needed, without=task.entry_point)
            return "".join(_close_line(block) for block in (head, *kept))
        broken = broken or head
    return None if broken is None else _trim(broken, len(task.prompt))


def _repairs(code: str, task: Task) -> Iterator[str]:
    """Joins prompt and completion in several ways, the least repair first."""
    prompt = task.prompt
    yield prompt + code
    if not prompt.endswith("\n"):
        prompt += "\n"
        yield prompt + code
    indent = _body_indent(task)
    if (marginal := _margin_body(code, indent)) is not None:
        yield prompt + marginal
    lines = code.split("\n")
    first = next((place for place, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return
    # A tokenizer that drops the first space, or all of the first line's indent.
    repaired = [*lines]
    repaired[first] = indent + lines[first].lstrip()
    yield prompt + "\n".join(repaired)
    yield prompt + "\n".join(_spaces(line, indent) for line in lines)


def _margin_body(code: str, indent: str) -> str | None:
    """Indents a body that was written at the margin; None if there is none.

    A return is valid only inside a function, so the body ends with the last one. A body without a
    return ends where something else begins.
    """
    blocks = split_blocks(code)
    returns = [place for place, block in enumerate(blocks) if _RETURN.match(block)]
    others = [place for place, block in enumerate(blocks) if _ELSEWHERE.match(block)]
    end = returns[-1] + 1 if returns else others[0] if others else len(blocks)
    body = "".join(blocks[:end])
    return _indent(body, indent) + "".join(blocks[end:]) if _has_code(body) else None


def _indent(code: str, indent: str) -> str:
    return "\n".join(indent + line if line.strip() else line for line in code.split("\n"))


def _cut_body(joined: str, length: int) -> tuple[str, list[str]]:
    """Splits a text at the end of the function that the prompt opened; the rest is in blocks.

    Args:
        length: the length of the prompt.
    """
    blocks = split_blocks(joined)
    end = 0
    for place, block in enumerate(blocks):
        if end >= length:
            return joined[:end], blocks[place:]
        end += len(block)
    return joined, []


def _trim(source: str, length: int) -> str | None:
    """Cuts off what follows the last whole statement; None where nothing valid is left.

    The model went on with prose, or the token limit cut a statement in two. Each attempt cuts at
    the line where Python stops reading, so a few are enough.
    """
    for _ in range(_TRIMS):
        line = broken_line(source)
        if line is None:
            return None
        lines = source.rstrip().split("\n")
        source = "\n".join(lines[: min(line, len(lines)) - 1]) + "\n"
        if not _has_code(source[length:]):
            return None
        if names_of(source) is not None:
            return source
    return None


def _definition(entry_point: str) -> re.Pattern[str]:
    return re.compile(rf"^(?:async[ \t]+)?(?:def|class)[ \t]+{re.escape(entry_point)}\b", re.M)


def _body_indent(task: Task) -> str:
    """Finds the indent of the prompt's body: its docstring's, else four spaces more."""
    pattern = rf"^([ \t]*)(?:async[ \t]+)?def[ \t]+{re.escape(task.entry_point)}\b"
    headers = list(re.finditer(pattern, task.prompt, re.M))
    if not headers:
        return "    "
    docstring = _DOCSTRING.search(task.prompt, headers[-1].end())
    return docstring[1] if docstring else headers[-1][1] + "    "


def _spaces(line: str, indent: str) -> str:
    """Replaces each tab of a line's indent by one step of `indent`."""
    body = line.lstrip("\t ")
    return line[: len(line) - len(body)].replace("\t", indent) + body


def _has_code(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.split("\n"))


def _close_line(block: str) -> str:
    return block if not block or block.endswith("\n") else block + "\n"
