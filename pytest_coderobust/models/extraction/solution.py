"""Solutions from completions: the whole program that is judged.

A completion either continues the prompt or repeats the whole function, perhaps inside chat. A
continuation keeps the clean prompt in front. Its indentation is repaired where that alone makes it
valid Python. It ends where the function ends; of the code after that, only what the function needs
stays (helpers, constants, imports, what fills its tables). A repeated function goes behind the
task's preamble, with what it needs. Time is linear in the completion.

Not covered: methods of a class.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_coderobust.models.extraction.blocks import (
    broken_line,
    is_python,
    names_of,
    quiet_parser,
    split_blocks,
)
from pytest_coderobust.models.extraction.braces import extract_braced
from pytest_coderobust.models.extraction.effects import binds_function
from pytest_coderobust.models.extraction.fences import (
    AnswerCode,
    clean_answer,
    find_code,
    is_indented,
)
from pytest_coderobust.models.extraction.helpers import gather_helpers
from pytest_coderobust.models.extraction.program import KeptStatements, Wanted, choose_needed
from pytest_coderobust.models.extraction.repairs import has_code, list_repairs
from pytest_coderobust.models.extraction.scripts import find_script
from pytest_coderobust.records import AnswerReading, Task

EXTRACTOR_VERSION = "5"
"""Raised whenever the same completion might become another solution; part of verdicts' keys."""

Mode = Literal["code", "raw"]

UNFINISHED = "<the thought never ends: there is no answer>\n"
"""The solution in an answer that is an unfinished thought: a program in no language."""

_TRIMS = 8
_FUTURE = "from __future__"
_RETURN = re.compile(r"(?:return|yield)\b")
_DEFAULT = AnswerReading()


@dataclass(frozen=True, slots=True)
class Solution:
    """A program from an answer.

    Attributes:
        source: the program that is judged.
        dropped: top-level statements of the answer's program that are not in it.
    """

    source: str
    dropped: tuple[str, ...] = ()


def extract(
    completion: str, task: Task, mode: Mode = "code", reading: AnswerReading = _DEFAULT
) -> str:
    """Extracts the program to judge from a completion.

    Args:
        mode: "raw" is the prompt and the completion, nothing cut and nothing repaired.
    """
    if mode == "raw":
        return task.prompt + completion
    return read_solution(completion, task, reading).source


def extract_program(
    program: str, task: Task, mode: Mode = "code", reading: AnswerReading = _DEFAULT
) -> str:
    """Extracts the program to judge from an answer that was recorded as a whole program.

    Args:
        mode: "raw" is the program as it is.
    """
    if mode == "raw":
        return program
    return extract(program.removeprefix(task.prompt), task, mode, reading)


def read_solution(completion: str, task: Task, reading: AnswerReading = _DEFAULT) -> Solution:
    """Reads the solution in a completion, and what of its program is left out."""
    with quiet_parser():
        return _read_solution(completion, task, reading)


def _read_solution(completion: str, task: Task, reading: AnswerReading) -> Solution:
    answer = clean_answer(completion, reading)
    if answer is None:
        return Solution(UNFINISHED)
    if task.tests.style == "stdio":  # the prompt is a docstring, the answer a whole program
        return Solution(task.prompt + find_script(answer, reading))
    if task.language != "python":
        return Solution(extract_braced(answer, task, reading))
    code = find_code(answer, lambda text: _defines(text, task.entry_point), reading)
    whole = not is_indented(code.text) and _defines(code.text, task.entry_point)
    found = _whole_function(code, task) if whole else None
    found = found or _continuation(code.text, task)
    return found or Solution((task.preamble if whole else task.prompt) + code.text)


def _defines(text: str, entry_point: str) -> bool:
    """Whether text defines the entry point at the margin, by a def, a class or an assignment."""
    name = re.escape(entry_point)
    if re.search(rf"^(?:async[ \t]+)?(?:def|class)[ \t]+{name}\b", text, re.M):
        return True
    # Bound some other way: by assignment or import, or inside an if or a try.
    bound = rf"^(?:{name}\b[^=\n]*=[^=]|(?:if|try|else|with)\b|(?:from|import)\b.*\b{name}\b)"
    if not re.search(bound, text, re.M):
        return False
    named = re.compile(rf"\b{name}\b")
    blocks = [block for block in split_blocks(text) if not block[:1].isspace()]
    if any(_RETURN.match(block) for block in blocks):
        return False  # a body at the margin, with a variable of that name
    return any(binds_function(block, entry_point) for block in blocks if named.search(block))


def _whole_function(code: AnswerCode, task: Task) -> Solution | None:
    """Takes the function as the completion repeats it; None when that is not valid Python."""
    gathered = gather_helpers(code, task.entry_point)
    own = gathered.own
    blocks = [*gathered.before, *own[:-1], *map(_close_line, own[-1:]), *gathered.after]
    preamble = names_of(task.preamble)  # None where the prompt begins with prose
    wanted = Wanted(
        {task.entry_point, *(preamble.needed if preamble else ())},
        present=preamble.bound if preamble else frozenset(),
        entry_point=task.entry_point,
        whole=True,
    )
    kept, dropped, choice = _choose(
        [each for each in blocks if not each.startswith(_FUTURE)], wanted
    )
    source = "".join(kept)
    if not _is_program(source, choice, task.entry_point):
        return None
    future = "".join(_close_line(block) for block in blocks if block.startswith(_FUTURE))
    before = _close_line(task.preamble) if preamble else ""
    return Solution(future + before + source, dropped)


def _is_program(source: str, choice: KeptStatements, entry_point: str) -> bool:
    """Whether statements that were chosen are valid Python together, and bind the entry point.

    Together they are what they are alone, but for a name that is used before it is global.
    """
    if choice.valid and not re.search(r"\bglobal\b", source):
        return entry_point in choice.bound
    return is_python(source, binds=entry_point)


def _choose(
    blocks: Sequence[str], wanted: Wanted
) -> tuple[list[str], tuple[str, ...], KeptStatements]:
    """Splits statements into those that are kept and those that are dropped."""
    choice = choose_needed(blocks, wanted)
    pairs = [*zip(blocks, choice.kept, strict=True)]
    dropped = tuple(block for block, keep in pairs if not keep and has_code(block))
    return [_close_line(block) for block, keep in pairs if keep], dropped, choice


def _continuation(code: str, task: Task) -> Solution | None:
    """Gives the prompt the completion's body; None when that is not valid Python."""
    broken: str | None = None
    for joined in list_repairs(code, task):
        head, rest = _cut_body(joined, len(task.prompt))
        if not has_code(head[len(task.prompt) :]):
            continue
        if (named := names_of(head)) is not None:
            entry = task.entry_point
            wanted = Wanted(named.needed, named.bound, entry, has_entry=entry in named.bound)
            kept, dropped, _ = _choose(rest, wanted)
            return Solution("".join((_close_line(head), *kept)), dropped)
        broken = broken or head
    trimmed = None if broken is None else _trim(broken, len(task.prompt))
    return None if trimmed is None else Solution(trimmed)


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
        if not has_code(source[length:]):
            return None
        if is_python(source):
            return source
    return None


def _close_line(block: str) -> str:
    return block if not block or block.endswith("\n") else block + "\n"
