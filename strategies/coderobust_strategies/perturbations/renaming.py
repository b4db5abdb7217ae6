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
from coderobust_strategies.perturbations.recode import TaskCode, edited
from coderobust_strategies.prompt.inflection import inflect_phrase, other_forms, readings
from coderobust_strategies.prompt.lexicon import synonyms
from coderobust_strategies.prompt.protection import names_in
from coderobust_strategies.prompt.source import Source, mention_edits, name_edits, parse
from coderobust_strategies.site import pick

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def camel_case(task: TaskCode, rng: Random) -> TaskCode | None:
    """has_close_elements -> hasCloseElements"""
    first, *rest = task.entry_point.split("_")
    return _renamed(task, [first + "".join(word[:1].upper() + word[1:] for word in rest)], rng)


def butter_finger(task: TaskCode, rng: Random) -> TaskCode | None:
    """One letter becomes that of a nearby key."""
    name = task.entry_point
    return _renamed(
        task,
        [
            name[:place] + other + name[place + 1 :]
            for place, letter in enumerate(name)
            for other in neighbours(letter, 1.2)
        ],
        rng,
    )


def swap_char(task: TaskCode, rng: Random) -> TaskCode | None:
    """Two neighbouring letters change places."""
    name = task.entry_point
    swapped = (name[:i] + b + a + name[i + 2 :] for i, (a, b) in enumerate(pairwise(name)))
    return _renamed(task, [other for other in swapped if other != name], rng)


def change_char(task: TaskCode, rng: Random) -> TaskCode | None:
    """One letter changes its case."""
    name = task.entry_point
    changed = [name[:i] + letter.swapcase() + name[i + 1 :] for i, letter in enumerate(name)]
    return _renamed(task, changed, rng)


def inflectional_variation(task: TaskCode, rng: Random) -> TaskCode | None:
    """One word of the name takes another form."""
    return _renamed(task, _word_changes(task.entry_point, _other_forms), rng)


def synonym(task: TaskCode, rng: Random) -> TaskCode | None:
    """One word of the name gives way to a synonym."""
    return _renamed(task, _word_changes(task.entry_point, _synonyms), rng)


def naive_variable(task: TaskCode, rng: Random) -> TaskCode | None:
    """The most frequent variable becomes VAR_0."""
    return _variable(task, ["VAR_0"], rng)


def random_variable(task: TaskCode, rng: Random) -> TaskCode | None:
    """The most frequent variable becomes random letters."""
    return _variable(task, ["".join(pick(_LETTERS, rng) for _ in range(6)) for _ in range(3)], rng)


def _renamed(task: TaskCode, candidates: list[str], rng: Random) -> TaskCode | None:
    old = task.entry_point
    source, tests = parse(task.prompt + task.solution), parse(task.tests)
    new = _free_name(task, candidates, rng)
    if source is None or tests is None or new is None:
        return None
    edits = [*name_edits(source, source.tree, old, new), *mention_edits(source.text, old, new)]
    renamed = apply_edits(tests.text, name_edits(tests, tests.tree, old, new))
    return replace(edited(task, edits, renamed), entry_point=new)


def _free_name(task: TaskCode, candidates: list[str], rng: Random) -> str | None:
    """One of the candidates that is an identifier nobody uses yet."""
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


def _variable(task: TaskCode, candidates: list[str], rng: Random) -> TaskCode | None:
    source = parse(task.prompt + task.solution)
    function = source.function(task.entry_point) if source else None
    new = _free_name(task, candidates, rng)
    if source is None or function is None or new is None:
        return None
    old = _most_frequent(source, function, len(task.prompt))
    keywords = {node.arg for node in ast.walk(source.tree) if isinstance(node, ast.keyword)}
    if old is None or old in keywords or re.search(rf"\b{old}\s*=[^=]", task.tests):
        return None
    return edited(task, list(name_edits(source, function, old, new)))


def _most_frequent(source: Source, function: ast.AST, cut: int) -> str | None:
    """The parameter or local variable that the prompt's code uses most; the first of equals."""
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
