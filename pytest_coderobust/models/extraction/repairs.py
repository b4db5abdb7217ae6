"""Repairs of a completion that follows its prompt: indents that tokenizers and models lose."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_coderobust.models.extraction.blocks import split_blocks
from pytest_coderobust.records import Task

_RETURN = re.compile(r"(?:return|yield)\b")
_ELSEWHERE = re.compile(
    r"(?:async\s+def|def|class|import|from|assert)\s|@|print\(|if\s+__name__|[\"']"
)
_DOCSTRING = re.compile(r"^([ \t]+)[rRuU]?(?:\"\"\"|''')", re.M)


def list_repairs(code: str, task: Task) -> Iterator[str]:
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
    return _indent(body, indent) + "".join(blocks[end:]) if has_code(body) else None


def _indent(code: str, indent: str) -> str:
    return "\n".join(indent + line if line.strip() else line for line in code.split("\n"))


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


def has_code(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.split("\n"))
