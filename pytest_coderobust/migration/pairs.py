"""Pairs of a change and a problem that it is about, and the reasons why some cannot be measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_coderobust.migration.corpus import ApiUses, Corpus, CorpusProblem
from pytest_coderobust.migration.imports import split_name
from pytest_coderobust.migration.kinds import Kinds, is_about, make_change
from pytest_coderobust.migration.naming import NO_NAME, NameSource, explain_names
from pytest_coderobust.migration.rewriting import rewrite
from pytest_coderobust.records import ApiChange


@dataclass(frozen=True, slots=True)
class ChangePair:
    """A change and a problem whose solution uses the API.

    Attributes:
        rewritten: the solution under the change; as it was where an API was removed.
        reason: why the pair cannot be measured, "" where nothing speaks against it yet.
    """

    change: ApiChange
    problem: CorpusProblem
    rewritten: str
    reason: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """The API and the task."""
        return self.change.old, self.problem.task.id


@dataclass(frozen=True, slots=True)
class Candidates:
    """The changes that are possible in a corpus.

    Attributes:
        changes: by API.
        pairs: every pair of a change and a problem that uses the API, in the corpus's order.
        unnamed: APIs that get no change, with the reason.
    """

    changes: dict[str, ApiChange]
    pairs: tuple[ChangePair, ...]
    unnamed: dict[str, str]


def find_candidates(corpus: Corpus, kinds: Kinds, names: NameSource, seed: int) -> Candidates:
    """Finds the changes and pairs of a corpus; no solution runs yet."""
    apis = [api for api in corpus.apis if is_about(api, kinds)]
    unnamed = dict(explain_names(apis, names))
    changes: dict[str, ApiChange] = {}
    for api in apis:
        if unnamed.get(api, NO_NAME) != NO_NAME:
            continue  # the name is taken, whatever the kind
        change = make_change(api, kinds, names, seed)
        if change is None:
            unnamed.setdefault(api, "no kind of change is possible for it")
        else:
            unnamed.pop(api, None)
            changes[api] = change
    return Candidates(changes, tuple(_list_pairs(corpus, changes)), unnamed)


def _list_pairs(corpus: Corpus, changes: dict[str, ApiChange]) -> Iterator[ChangePair]:
    for problem in corpus.problems:
        for api, uses in sorted(problem.uses.items()):
            if api in changes:
                yield make_pair(changes[api], problem, uses)


def make_pair(change: ApiChange, problem: CorpusProblem, uses: ApiUses) -> ChangePair:
    """Makes a pair, with the rewritten solution or the reason why there is none."""
    reason = explain_uses(change, problem, uses)
    if reason or not change.new:
        return ChangePair(change, problem, problem.solution, reason)
    prompt = problem.task.prompt
    try:
        found = rewrite(problem.program, [change], start=len(prompt))
    except ValueError as error:
        return ChangePair(change, problem, problem.solution, str(error))
    if found.left:
        return ChangePair(change, problem, problem.solution, found.left[0].reason)
    return ChangePair(change, problem, found.source[len(prompt) :])


def explain_uses(change: ApiChange, problem: CorpusProblem, uses: ApiUses) -> str:
    """The reason that the program alone gives against a pair, or ""."""
    if uses.in_prompt:
        return "the prompt's code uses it"
    if not uses.in_solution:
        return "only a decorator or an annotation uses it"
    if not uses.called:
        return "it is imported and never used"
    owner, last = split_name(change.new)
    if change.new and last in problem.words and last != split_name(change.old)[1]:
        return f"the task has the word {last!r}"
    if owner and owner != split_name(change.old)[0] and _binds_otherwise(problem, owner):
        return f"the task has the word {owner!r}"
    return ""


def _binds_otherwise(problem: CorpusProblem, module: str) -> bool:
    """Whether a task says the name of a module without importing it."""
    return module in problem.words and f"import {module}" not in problem.program
