"""Corpora of tasks for the builder: their programs, and the APIs that each of them uses where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pytest_coderobust.errors import DataError
from pytest_coderobust.migration.library import find_kind
from pytest_coderobust.migration.spans import SourceBytes
from pytest_coderobust.migration.uses import Use, find_uses, list_bound
from pytest_coderobust.records import Task
from pytest_coderobust.tasks.catalogue import DATA_SETS, DATA_VARIABLE, data_folder
from pytest_coderobust.tasks.load import fingerprint, load_tasks
from pytest_coderobust.tasks.program import parse

WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class ApiUses:
    """The uses of one API in one problem.

    Attributes:
        in_prompt: some stand in the prompt's code, which every answer gets.
        in_solution: some stand in the solution, but for decorators and annotations.
        called: some of those are more than an import.
        shown: the prompt's text shows a call of the API.
    """

    in_prompt: bool
    in_solution: bool
    called: bool
    shown: bool


@dataclass(frozen=True)
class CorpusProblem:
    """A task with its canonical program.

    Attributes:
        solution: its canonical solution.
        uses: by API, for each that a change could be about.
        words: every word of prompt and solution, and of the names that they bind.
    """

    task: Task
    solution: str
    uses: Mapping[str, ApiUses]
    words: frozenset[str]

    @cached_property
    def program(self) -> str:
        """The whole program."""
        return self.task.prompt + self.solution


@dataclass(frozen=True, slots=True)
class Corpus:
    """The problems of one or more data sets, in their order.

    Attributes:
        digest: a fingerprint of all tasks.
        left_out: tasks that cannot be used, counted by reason.
    """

    problems: tuple[CorpusProblem, ...]
    digest: str
    left_out: Mapping[str, int]

    @property
    def apis(self) -> tuple[str, ...]:
        """Every API that a problem uses, by name."""
        return tuple(sorted({api for problem in self.problems for api in problem.uses}))


def load_corpus(sources: Sequence[str], base: Path) -> Corpus:
    """Loads the problems of data sets and files.

    The canonical solution must hold the imports that it needs: MBPP's rows are read as whole
    programs, because the prompt of their other form shows the imports.

    Args:
        sources: names of data sets, and files relative to `base` or below `CODEROBUST_DATA`.

    Raises:
        DataError, UnknownName: one cannot be found or read, or none has a canonical solution.
    """
    tasks = [task for source in sources for task in _load(source, base)]
    seen: set[str] = set()
    for task in tasks:
        if task.id in seen:
            raise DataError(f"{', '.join(sources)}: the task id {task.id!r} comes twice")
        seen.add(task.id)
    problems: list[CorpusProblem] = []
    reasons: Counter[str] = Counter()
    for task in tasks:
        found = read_problem(task)
        if isinstance(found, CorpusProblem):
            problems.append(found)
        else:
            reasons[found] += 1
    if not problems:
        first = next(iter(reasons), "it has no tasks")
        raise DataError(f"{', '.join(sources)}: no task can be used: {first}")
    return Corpus(tuple(problems), fingerprint(tasks), dict(reasons))


def _load(source: str, base: Path) -> tuple[Task, ...]:
    folder = data_folder()
    if source not in DATA_SETS and not (base / source).is_file() and folder is not None:
        below = folder / source
        if below.is_file():
            return load_tasks(str(below), base=base, form="plain").tasks
    try:
        return load_tasks(source, base=base, form="plain").tasks
    except DataError as error:
        if "no such file" in str(error):
            looked = f"{folder} ({DATA_VARIABLE})" if folder else f"{DATA_VARIABLE} (not set)"
            raise DataError(f"{error}; it is not in {looked} either") from None
        raise


def read_problem(task: Task) -> CorpusProblem | str:
    """Reads the problem of a task; a reason where the builder cannot use it."""
    if task.language != "python":
        return f"tasks in {task.language}"
    if task.api_changes:
        return "tasks that declare API changes already"
    if task.canonical is None:
        return "tasks without a canonical solution"
    program = task.prompt + task.canonical
    tree = parse(program)
    if tree is None:
        return "tasks whose prompt and solution are not a valid Python program"
    usage = find_uses(tree)
    by_api: dict[str, list[Use]] = {}
    for use in usage.uses:
        if find_kind(use.api) is not None:
            by_api.setdefault(use.api, []).append(use)
    words = frozenset(WORD.findall(program)) | list_bound(usage.scopes)
    source = SourceBytes(program)
    start = len(task.prompt.encode("utf-8", "surrogatepass"))
    uses = {
        api: _place_uses(api, found, source, start, task.prompt) for api, found in by_api.items()
    }
    return CorpusProblem(task, task.canonical, uses, words)


def _place_uses(
    api: str, uses: Iterable[Use], source: SourceBytes, start: int, prompt: str
) -> ApiUses:
    found = [(source.find_start(use.start) < start, use) for use in uses]
    own = [use for early, use in found if not early and not use.place.aside]
    return ApiUses(
        in_prompt=any(early for early, _ in found),
        in_solution=bool(own),
        called=any(use.statement is None for use in own),
        shown=re.search(rf"\b{re.escape(api.rpartition('.')[2])}\(", prompt) is not None,
    )
