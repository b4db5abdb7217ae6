"""Solutions in languages of braces (C++, Java), extracted from an answer.

A continuation keeps the clean prompt in front; it ends at the brace that closes the last one that
the prompt opened. A function that the answer repeats whole goes behind the task's preamble. A
`main` that shows how to use the function is cut off, because the tests bring their own. Time is
linear in the completion.
"""

from __future__ import annotations

import re

from pytest_coderobust.models.extraction.fences import find_code
from pytest_coderobust.records import AnswerReading, Task

_TOKEN = re.compile(
    r"//[^\n]*|/\*.*?(?:\*/|\Z)|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|[{}]", re.S
)
_MAIN = re.compile(r"^[ \t]*(?:int|void)\s+main\s*\(|^[ \t]*(?:public\s+)?class\s+Main\b", re.M)
_CLASS = re.compile(r"\bclass\s+Solution\b")


def extract_braced(answer: str, task: Task, reading: AnswerReading) -> str:
    """Extracts the program from a clean answer in C++ or Java."""
    declared = f"{task.entry_point}("
    # Examples above the function call it too; its head is the last that names it.
    heads = [line for line in task.prompt.split("\n") if declared in line]
    line = heads[-1] if heads else declared
    head = line[: line.index(declared) + len(task.entry_point)].strip()
    defines = re.compile(re.escape(head))
    chosen = find_code(answer, lambda text: defines.search(text) is not None, reading)
    # Blocks before the one that defines the function may hold what it includes or imports.
    earlier = [block for block in chosen.before if not defines.search(block)]
    code = "\n".join((*earlier, chosen.text))
    found = defines.search(code)
    if found is None:
        return _continue_prompt(task.prompt, code, task.language)
    example = _MAIN.search(code, found.end())
    if example is not None:
        code = code[: example.start()]
    if task.preamble.strip() in code:
        return code
    if task.language == "java" and _CLASS.search(code):
        return _before_class(task.preamble) + code
    closing = "}\n" if task.language == "java" and _CLASS.search(task.preamble) else ""
    return task.preamble + code + closing


def _continue_prompt(prompt: str, code: str, language: str) -> str:
    """Joins prompt and answer, cut after the brace that closes everything the prompt opened."""
    joined = prompt + code
    depth = 0
    for token in _TOKEN.finditer(joined):
        if token[0] not in "{}":
            continue
        depth += 1 if token[0] == "{" else -1
        if depth <= 0 and token.start() >= len(prompt):
            more = joined[token.end() :].strip()
            return joined[: token.end()] + "\n" if more else joined
    # Java's method ended and its class did not, where a stop string took the last brace.
    return joined + "\n}\n" if language == "java" and depth == 1 else joined


def _before_class(preamble: str) -> str:
    found = _CLASS.search(preamble)
    return preamble[: found.start()] if found else preamble
