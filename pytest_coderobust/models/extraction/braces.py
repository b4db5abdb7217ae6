"""Solutions in languages of braces (C++, Java), extracted from an answer.

A continuation keeps the clean prompt in front; it ends at the brace that closes the last one that
the prompt opened. Where that never comes, whole members stay, and their class is closed. A function
that the answer repeats whole goes behind the task's preamble. A `main` that shows how to use the
function is cut off, because the tests bring their own. Braces in comments, strings, raw strings and
text blocks count for nothing. Time is linear in the completion.
"""

from __future__ import annotations

import re

from coderobust_strategies.prompt.braced import BracedLanguage
from pytest_coderobust.models.extraction.brace_ends import (
    BraceEnds,
    blank_literals,
    close_scopes,
    find_ends,
    measure_depth,
)
from pytest_coderobust.models.extraction.fences import find_code
from pytest_coderobust.records import AnswerReading, Task

BRACES_VERSION = "4"
"""Raised whenever the same completion in C++ or Java might become another solution, or a prompt in
them another variant; part of the digest of their suites' plans."""

_MAIN = re.compile(r"^[ \t]*(?:int|void)\s+main\s*\(|^[ \t]*(?:public\s+)?class\s+Main\b", re.M)
_CLASS = re.compile(r"\bclass\s+Solution\b")
_IMPORT = re.compile(r"^[ \t]*import\s+(?:static\s+)?[\w.]+(?:\.\*)?[ \t]*;[^\n]*\n?", re.M)
_PACKAGE = re.compile(r"^[ \t]*package\s+[\w.]+[ \t]*;[ \t]*\n?", re.M)


def extract_braced(answer: str, task: Task, reading: AnswerReading) -> str:
    """Extracts the program from a clean answer in C++ or Java."""
    language: BracedLanguage = "cpp" if task.language == "cpp" else "java"
    defines = _define(task)
    chosen = find_code(answer, lambda text: defines.search(text) is not None, reading, language)
    # Blocks before the one that defines the function may hold what it includes or imports.
    earlier = [block for block in chosen.before if not defines.search(block)]
    code = _drop_example("\n".join((*earlier, chosen.text)), defines, language)
    blank = blank_literals(code, language)
    found = defines.search(blank)
    if found is None:
        return _continue_prompt(task, code, language)
    prompt = blank_literals(task.prompt, language)
    head = _last_head(defines, prompt)
    outer = measure_depth(prompt, head.start() if head else 0)
    opened = measure_depth(prompt, len(prompt))
    if _is_closed_before(blank, found.start(), opened, outer):
        # The answer goes on and then repeats itself; an overload is no repetition.
        again = [each for each in defines.finditer(blank) if _is_same(each, head)]
        return _continue_prompt(task, code[: again[0].start()] if again else code, language)
    return _place_whole(task, _end_whole(code, blank, defines, found, language), language)


def _drop_example(code: str, defines: re.Pattern[str], language: BracedLanguage) -> str:
    """Drops a main, or the class around it, that stands before the function's body."""
    blank = blank_literals(code, language)
    example = _MAIN.search(blank)
    bodies = (each.start() for each in defines.finditer(blank) if each["parameters"])
    if example is None or not any(example.start() < body for body in bodies):
        return code
    floor = measure_depth(blank, example.start())
    end = find_ends(blank, example.start(), floor, floor, language).closed
    return code if end is None else code[: example.start()] + code[end:]


def _define(task: Task) -> re.Pattern[str]:
    """Makes the pattern of the head of the task's function."""
    declared = f"{task.entry_point}("
    # Examples above the function call it too; its head is the last that names it.
    heads = [line for line in task.prompt.split("\n") if declared in line]
    line = heads[-1] if heads else declared
    head = line[: line.index(declared) + len(task.entry_point)].strip()
    return re.compile(
        rf"^[^\n;{{}}()=]*?\b{re.escape(task.entry_point)}\s*(?P<parameters>\([^;{{}}]{{0,2000}}?\))"
        rf"\s*(?:throws\s[\w.,\s]{{1,200}})?\{{|{re.escape(head)}",
        re.MULTILINE,
    )


def _last_head(defines: re.Pattern[str], blank: str) -> re.Match[str] | None:
    heads = [*defines.finditer(blank)]
    return heads[-1] if heads else None


def _is_same(found: re.Match[str], head: re.Match[str] | None) -> bool:
    """Whether two heads have the same parameters, or one of them does not show them."""
    texts = [each["parameters"] if each else None for each in (found, head)]
    shown = ["".join(text.split()) for text in texts if text]
    return len(shown) < len(texts) or shown[0] == shown[1]


def _is_closed_before(blank: str, stop: int, opened: int, outer: int) -> bool:
    """Whether text that follows a prompt closes its function before a place."""
    depth = opened
    for mark in re.finditer(r"[{}]", blank[:stop]):
        depth += 1 if mark[0] == "{" else -1
        if depth <= outer:
            return True
    return False


def _continue_prompt(task: Task, code: str, language: BracedLanguage) -> str:
    """Joins prompt and answer, cut after the brace that closes everything the prompt opened."""
    prompt = task.prompt
    joined = prompt + code
    blank = blank_literals(joined, language)
    head = _last_head(_define(task), blank[: len(prompt)])
    outer = measure_depth(blank, head.start() if head else 0)
    ends = find_ends(blank, len(prompt), outer, 0, language)
    if ends.closed is not None:
        return _cut(joined, blank, ends.closed, language, semicolon=outer > 0)
    if ends.member is not None and outer > 0:
        return close_scopes(joined[: ends.member], outer, language)
    return joined


def _cut(text: str, blank: str, stop: int, language: BracedLanguage, *, semicolon: bool) -> str:
    """Cuts a text; a class in C++ keeps the semicolon that ends it."""
    if language == "cpp" and semicolon and blank[stop:].lstrip().startswith(";"):
        stop = blank.index(";", stop) + 1
    return f"{text[:stop]}\n" if text[stop:].strip() else text


def _end_whole(
    code: str, blank: str, defines: re.Pattern[str], found: re.Match[str], language: BracedLanguage
) -> str:
    """Ends an answer that repeats the function: at a main, a second time, or where it is torn."""
    stops = [each.start() for each in defines.finditer(blank, found.end()) if _repeats(each, found)]
    example = _MAIN.search(blank, found.end())
    stop = min(len(code), *stops, example.start() if example else len(code))
    code, blank = code[:stop], blank[:stop]
    outer = measure_depth(blank, found.start())
    ends = find_ends(blank, found.end(), outer, -1, language)
    if ends.closed is not None:
        return code[: ends.closed - 1]  # the brace of a class that the answer does not open
    if ends.depth > 0 and ends.member is not None:
        return close_scopes(code[: ends.member], outer, language)
    return code if ends.depth else _drop_prose(code, blank, ends)


def _repeats(again: re.Match[str], found: re.Match[str]) -> bool:
    return bool(again["parameters"] and found["parameters"]) and _is_same(again, found)


def _drop_prose(code: str, blank: str, ends: BraceEnds) -> str:
    """Drops text behind the last end at the margin: it is no code, for code has an end itself."""
    top = max(blank.rfind("}"), blank.rfind(";")) + 1
    prose = ends.member is not None and blank[top:].replace("\0", " ").strip()
    return code[:top] + "\n" if prose else code


def _place_whole(task: Task, code: str, language: BracedLanguage) -> str:
    """Puts a repeated function behind what it needs of the prompt."""
    if language == "java":
        code = _PACKAGE.sub("", code)
    if task.preamble.strip() in code:
        return code
    if language == "java" and _CLASS.search(code):
        return _before_class(task.preamble) + code
    if language == "java" and _CLASS.search(task.preamble):
        imports = "".join(f"{each.strip()}\n" for each in _IMPORT.findall(code))
        return f"{imports}{task.preamble}{_IMPORT.sub('', code)}}}\n"
    return task.preamble + code


def _before_class(preamble: str) -> str:
    found = _CLASS.search(preamble)
    return preamble[: found.start()] if found else preamble
