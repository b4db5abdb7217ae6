"""The statements that a function needs: those that bind its names, and those that change them.

Dependencies by change count as those by binding: a loop that fills a table, a call that registers
something, a limit that is set. A statement reaches what it changes through the functions it calls;
what reaches it through the entry point alone is an example. Statements that read standard input
are left out, since a function's tests give it none. Each statement is kept at most once, and marked
at most once as one that changes what is kept, so time is linear.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_coderobust.models.extraction.effects import LIMITS
from pytest_coderobust.models.extraction.statement import INPUT, TopStatement, read_statements

_FUNCTION = re.compile(r"(?:async[ \t]+)?def\b")
_IMPORTS_ALL = re.compile(r"from\s+[\w.]+\s+import\s*\*")
_BY_STRING = frozenset({"eval", "exec", "globals", "locals", "vars", "__import__"})
_BUILTINS = frozenset(dir(builtins)) - INPUT - {"exit", "quit"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The names from which the needed statements are found.

    Attributes:
        needed: names that are looked up.
        present: names that text before the statements has bound already.
        entry_point: calls of it at the top level are examples.
        has_entry: the entry point is among what is present; of the statements that bind it, only
            those that wrap it are kept.
        whole: the statements are a whole text; if that is a program, definitions that run nothing
            stay.
    """

    needed: Iterable[str]
    present: frozenset[str] = frozenset()
    entry_point: str = ""
    has_entry: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class KeptStatements:
    """The statements that are kept.

    Attributes:
        kept: says so of each.
        bound: names that the kept ones bind.
        valid: each of them is valid Python.
    """

    kept: tuple[bool, ...]
    bound: frozenset[str]
    valid: bool


def choose_needed(blocks: Sequence[str], wanted: Wanted) -> KeptStatements:
    """Chooses the top-level statements that are kept."""
    statements = read_statements(blocks)
    choice = _Choice(statements, wanted)
    choice.keep_binders()
    choice.keep_changers()
    choice.keep_harmless()
    kept = [statements[place] for place in choice.kept]
    return KeptStatements(
        tuple(place in choice.kept for place in range(len(blocks))),
        frozenset(name for each in kept for name in each.names.bound),
        all(each.valid for each in kept),
    )


class _Choice:
    """The choice so far, and which statements bind, use and change each name."""

    def __init__(self, statements: Sequence[TopStatement], wanted: Wanted) -> None:
        self._statements = statements
        self._wanted = wanted
        self._seen: set[str] = set()
        self.kept: set[int] = set()
        self._binders = _index((at, self._list_bound(each)) for at, each in enumerate(statements))

    def keep_binders(self) -> None:
        """Keeps what binds the needed names, and what those need in turn."""
        waiting = set(self._wanted.needed)
        if self._wanted.has_entry:
            waiting.add(self._wanted.entry_point)
        self._follow(waiting)
        for place, statement in enumerate(self._statements):
            if statement.valid and _IMPORTS_ALL.match(statement.source):
                self._keep(place)

    def keep_changers(self) -> None:
        """Keeps the statements that change what is kept, until there are no more."""
        if not any(self._may_change(place) for place in self._list_open()):
            return
        graph = _Graph(self._statements, self._wanted.entry_point)
        told: set[int] = set()
        names = [*self._wanted.present, self._wanted.entry_point, LIMITS]
        while names:
            for place in graph.mark(names):
                if place not in self.kept and not self._statements[place].idle:
                    self._keep(place)
            fresh = self.kept - told
            told |= fresh
            names = [name for place in fresh for name in self._statements[place].names.bound]

    def keep_harmless(self) -> None:
        """Keeps definitions that nothing needs by name, where loading them runs nothing.

        Of a whole program that is all plain functions. Where a kept statement reaches others
        through names in strings (eval, globals), all that binds something may be needed.
        """
        by_string = bool(self._seen & _BY_STRING)
        program = self._wanted.whole and all(each.valid for each in self._statements)
        if not (by_string or program):
            return
        known = self._seen | _BUILTINS | self._wanted.present
        for place in list(self._list_open()):
            statement = self._statements[place]
            names = statement.names
            if self._wanted.entry_point in names.bound | names.runs:
                continue
            needless = _FUNCTION.match(statement.source) and names.runs <= known
            by_name = by_string and names.bound and not (statement.runs and statement.reads)
            if needless or by_name:
                self._keep(place)

    def _list_bound(self, statement: TopStatement) -> Iterable[str]:
        """Names that a statement counts as a binder of."""
        bound = statement.names.bound
        entry = self._wanted.entry_point
        if self._wanted.has_entry and entry in bound:
            wraps = entry in statement.names.runs and not statement.defines
            return bound if wraps else ()
        if not bound or statement.defines or statement.imports:
            return bound
        left_out = statement.names.needed & (INPUT | {"__name__"}) or "stdin" in statement.source
        if left_out and (statement.idle or (statement.reads and statement.runs)):
            return ()
        return bound

    def _list_open(self) -> Iterator[int]:
        for place, statement in enumerate(self._statements):
            if statement.valid and place not in self.kept:
                yield place

    def _may_change(self, place: int) -> bool:
        statement = self._statements[place]
        if statement.imports or _FUNCTION.match(statement.source):
            return False
        return bool(statement.source.strip()) and not statement.idle

    def _keep(self, place: int) -> None:
        self.kept.add(place)
        self._follow(self._statements[place].names.needed)

    def _follow(self, names: Iterable[str]) -> None:
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in self._seen:
                continue
            self._seen.add(name)
            for place in self._binders.get(name, ()):
                if place not in self.kept:
                    self.kept.add(place)
                    waiting += self._statements[place].names.needed


class _Graph:
    """Statements as a graph: each leads to those that use what it defines."""

    def __init__(self, statements: Sequence[TopStatement], entry_point: str) -> None:
        self._statements = statements
        self._entry_point = entry_point
        self._users = _index((at, each.names.needed) for at, each in enumerate(statements))
        valid = [at for at, each in enumerate(statements) if each.valid and each.source.strip()]
        self._changers = _index((at, statements[at].effects.changed) for at in valid)
        self._receivers = _index((at, statements[at].effects.passed) for at in valid)
        self._objects = {
            name for at in valid for name in statements[at].names.bound if statements[at].runs
        }
        self._marked: set[int] = set()
        reading = [(at, "") for at in valid if statements[at].reads]
        self._readers = set(self._spread(reading, set(), through_objects=True))

    def mark(self, names: Iterable[str]) -> list[int]:
        """Lists the statements that change the named objects as they are loaded."""
        hits: list[tuple[int, str]] = []
        for name in names:
            hits += [(place, name) for place in self._changers.pop(name, ())]
            if name in self._objects:
                hits += [(place, name) for place in self._receivers.pop(name, ())]
        return [at for at in self._spread(hits, self._marked) if at not in self._readers]

    def _spread(
        self, hits: list[tuple[int, str]], marked: set[int], *, through_objects: bool = False
    ) -> Iterator[int]:
        """Follows users of users; yields each statement that the chain runs at the top level.

        Args:
            through_objects: users of what a statement computes count too, not of functions alone.
        """
        while hits:
            place, name = hits.pop()
            statement = self._statements[place]
            if not statement.defines or name in statement.names.runs:
                yield place
            if place in marked or not (through_objects or statement.is_callable):
                continue
            marked.add(place)
            for bound in statement.names.bound - {self._entry_point}:
                hits += [(user, bound) for user in self._users.get(bound, ()) if user != place]


def _index(named: Iterable[tuple[int, Iterable[str]]]) -> dict[str, list[int]]:
    """Lists by name the places that name it."""
    found: dict[str, list[int]] = {}
    for place, names in named:
        for name in names:
            found.setdefault(name, []).append(place)
    return found
