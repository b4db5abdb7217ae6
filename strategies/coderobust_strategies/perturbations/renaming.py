"""Renames of the entry point and of variables, applied wherever the task uses the name."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from random import Random

from coderobust_strategies.edit import apply_edits
from coderobust_strategies.perturbations.keyboard import neighbours
from coderobust_strategies.perturbations.recode import TaskCode, edit_code
from coderobust_strategies.prompt.inflection import inflect_phrase, other_forms, readings
from coderobust_strategies.prompt.lexicon import synonyms
from coderobust_strategies.prompt.protection import names_in
from coderobust_strategies.prompt.source import Source, mention_edits, name_edits, parse
from coderobust_strategies.site import pick

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def camel_case(task: TaskCode, rng: Random) -> TaskCode | None:
    """Joins the words of a name: has_close_elements becomes hasCloseElements."""
    first, *rest = task.entry_point.split("_")
    return _rename(task, [first + "".join(word[:1].upper() + word[1:] for word in rest)], rng)


def butter_finger(task: TaskCode, rng: Random) -> TaskCode | None:
    """Replaces one letter by that of a nearby key."""
    name = task.entry_point
    return _rename(
        task,
        [
            name[:place] + other + name[place + 1 :]
            for place, letter in enumerate(name)
            for other in neighbours(letter, 1.2)
        ],
        rng,
    )


def swap_char(task: TaskCode, rng: Random) -> TaskCode | None:
    """Exchanges two neighbouring letters."""
    name = task.entry_point
    swapped = (name[:i] + b + a + name[i + 2 :] for i, (a, b) in enumerate(pairwise(name)))
    return _rename(task, [other for other in swapped if other != name], rng)


def change_char(task: TaskCode, rng: Random) -> TaskCode | None:
    """Changes the case of one letter."""
    name = task.entry_point
    changed = [name[:i] + letter.swapcase() + name[i + 1 :] for i, letter in enumerate(name)]
    return _rename(task, changed, rng)


def inflectional_variation(task: TaskCode, rng: Random) -> TaskCode | None:
    """Puts one word of the name into another form."""
    return _rename(task, _word_changes(task.entry_point, _other_forms), rng)


def synonym(task: TaskCode, rng: Random) -> TaskCode | None:
    """Replaces one word of the name by a synonym."""
    return _rename(task, _word_changes(task.entry_point, _synonyms), rng)


def naive_variable(task: TaskCode, rng: Random) -> TaskCode | None:
    """Renames the most frequent variable to VAR_0."""
    return _rename_variable(task, ["VAR_0"], rng)


def random_variable(task: TaskCode, rng: Random) -> TaskCode | None:
    """Renames the most frequent variable to random letters."""
    return _rename_variable(
        task, ["".join(pick(_LETTERS, rng) for _ in range(6)) for _ in range(3)], rng
    )


def _rename(task: TaskCode, candidates: list[str], rng: Random) -> TaskCode | None:
    old = task.entry_point
    source, tests = parse(task.prompt + task.solution), parse(task.tests)
    new = _free_name(task, candidates, rng)
    if source is None or tests is None or new is None:
        return None
    edits = [*name_edits(source, source.tree, old, new), *mention_edits(source.text, old, new)]
    renamed = apply_edits(tests.text, name_edits(tests, tests.tree, old, new))
    return replace(edit_code(task, edits, renamed), entry_point=new)


def _free_name(task: TaskCode, candidates: list[str], rng: Random) -> str | None:
    """Draws a candidate that is a valid identifier and not used in the task yet."""
    used = names_in(f"{task.prompt}{task.solution}\n{task.tests}") | set(dir(builtins))
    free = [
        name
        for name in dict.fromkeys(candidates)
        if name.isidentifier() and not keyword.iskeyword(name) and name not in used
    ]
    return pick(free, rng) if free else None


def _word_changes(name: str, change: Callable[[str], Iterable[str]]) -> list[str]:
    return [
        name[: match.start()] + _like(other, match.group()) + name[match.end() :]
        for match in _WORD.finditer(name)
        for other in change(match.group().lower())
        if other
    ]


def _other_forms(word: str) -> Iterator[str]:
    for reading in readings(word):
        yield from other_forms(reading.part, reading.lemma, word)


def _synonyms(word: str) -> Iterator[str]:
    for reading in readings(word):
        for phrase in synonyms().get((reading.part, reading.lemma), ()):
            yield inflect_phrase(phrase, reading.part, reading.tag)


def _like(form: str, word: str) -> str:
    joined = re.sub(r"[^a-z]+", "_", form)
    return joined.capitalize() if word[:1].isupper() else joined


def _rename_variable(task: TaskCode, candidates: list[str], rng: Random) -> TaskCode | None:
    source = parse(task.prompt + task.solution)
    function = source.function(task.entry_point) if source else None
    new = _free_name(task, candidates, rng)
    if source is None or function is None or new is None:
        return None
    old = _most_frequent(source, function, len(task.prompt))
    # A name passed as a keyword cannot change: the callers are not part of the edit.
    keywords = {node.arg for node in ast.walk(source.tree) if isinstance(node, ast.keyword)}
    if old is None or old in keywords or re.search(rf"\b{old}\s*=[^=]", task.tests):
        return None
    return edit_code(task, list(name_edits(source, function, old, new)))


def _most_frequent(source: Source, function: ast.AST, cut: int) -> str | None:
    """Finds the parameter or local variable that the prompt's code uses most.

    Of equals it is the first in the alphabet. None where names are global or nonlocal: a rename
    would have to reach beyond the function.
    """
    bound: set[str] = set()
    uses: Counter[str] = Counter()
    for node in ast.walk(function):
        if isinstance(node, ast.Global | ast.Nonlocal):
            return None
        if isinstance(node, ast.Name | ast.arg):
            name = node.id if isinstance(node, ast.Name) else node.arg
            if isinstance(node, ast.arg) or isinstance(node.ctx, ast.Store):
                bound.add(name)
            uses[name] += source.offset(node.lineno, node.col_offset) < cut
    ranked = [(-count, name) for name, count in uses.items() if name in bound and count]
    return min(ranked)[1] if ranked else None
