"""Uses of the standard library's APIs in a program: references and imports, by scopes.

A use is a reference, called or not, or an import of the name. `m.sqrt` after `import math as m`
is a use of `math.sqrt`, and so is `root` after `from math import sqrt as root`. A name that is
bound to different things in one scope is not followed, and neither is `getattr`: what would be a
use if such a name stood for the one module is listed apart.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_coderobust.migration.library import resolve_api
from pytest_coderobust.migration.scopes import Place, Scope, ScopeReader, read_scopes

ImportNode = ast.Import | ast.ImportFrom


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """One use of an API.

    Attributes:
        api: full name of the API.
        node: the name or attribute that names it, or the alias of an import.
        start: where the whole chain begins: the name that it hangs on.
        place: where it stands.
        call: the call that it is, if it is called.
        origin: for a name that came by `from m import n`, the alias that brought it.
        statement: for an import, the statement.
        is_shared: for an import, the program binds its name to something else too, or deletes it;
            references to the name are then no uses.
    """

    api: str
    node: ast.Name | ast.Attribute | ast.alias
    start: ast.Name | ast.alias
    place: Place
    call: ast.Call | None = None
    origin: ast.alias | None = None
    statement: ast.ImportFrom | None = None
    is_shared: bool = False

    @property
    def lineno(self) -> int:
        """The line that it stands in."""
        return self.node.lineno

    @property
    def is_star(self) -> bool:
        """Whether the name came by `from m import *`."""
        return self.origin is not None and self.origin.name == "*"

    @property
    def is_aliased(self) -> bool:
        """Whether the name came by an import under another name."""
        return self.origin is not None and self.origin.asname is not None


@dataclass(frozen=True, slots=True)
class ProgramUses:
    """The uses in a program, in the order of its source, and its scopes.

    Attributes:
        doubtful: what would be uses if a name that is bound to several things, a module among them,
            stood for the module (`try: import math`, `except ImportError: math = None`).
    """

    uses: tuple[Use, ...]
    scopes: ScopeReader
    doubtful: tuple[Use, ...] = ()


class UseFinder:
    """Finds the uses of one program."""

    def __init__(self, tree: ast.Module) -> None:
        self._scopes = read_scopes(tree)
        self._parents = {
            child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)
        }
        self._statements: Mapping[ast.AST, ImportNode] = {
            alias: node
            for node in self._scopes.places
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in node.names
        }

    def find(self) -> ProgramUses:
        """Finds every use."""
        found: list[Use] = []
        doubtful: list[Use] = []
        for node, place in self._scopes.places.items():
            if isinstance(node, ast.ImportFrom):
                found += self._find_imports(node, place)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found += self._find_reference(node, place)
                doubtful += self._find_doubtful(node, place)
        return ProgramUses(_order(found), self._scopes, _order(doubtful))

    def _find_imports(self, node: ast.ImportFrom, place: Place) -> Iterator[Use]:
        for alias in node.names:
            if node.level or not node.module or alias.name == "*":
                continue
            found = resolve_api((*node.module.split("."), alias.name))
            if found is not None:
                _, target = self._trace(alias.asname or alias.name, place.scope)
                yield Use(found[0], alias, alias, place, statement=node, is_shared=not target)

    def _find_reference(self, node: ast.Name, place: Place) -> Iterator[Use]:
        origin, target = self._trace(node.id, place.scope)
        if target:
            yield from self._follow(node, place, origin, target)

    def _find_doubtful(self, node: ast.Name, place: Place) -> Iterator[Use]:
        """Finds uses by a module whose name is bound to other things too.

        An API's own name is none of them: its import is a use, and says that the name is shared.
        """
        owner = place.scope.find(node.id)
        targets = {self._target(each, node.id) for each in owner.bindings[node.id]} if owner else ()
        if len(targets) > 1:
            uses = (
                use for each in targets if each for use in self._follow(node, place, None, each)
            )
            by_api = {use.api: use for use in uses if use.node is not node}
            yield from (by_api[api] for api in sorted(by_api))

    def _follow(
        self, node: ast.Name, place: Place, origin: ast.alias | None, target: tuple[str, ...]
    ) -> Iterator[Use]:
        """Follows the attributes of a name that stands for `target`, to the API they are about."""
        chain: list[ast.Name | ast.Attribute] = [node]
        while isinstance(parent := self._parents.get(chain[-1]), ast.Attribute):
            chain.append(parent)
        attributes = [each.attr for each in chain if isinstance(each, ast.Attribute)]
        found = resolve_api((*target, *attributes))
        if found is None:
            return
        api, length = found
        named = chain[max(0, length - len(target))]
        above = self._parents.get(named)
        call = above if isinstance(above, ast.Call) and above.func is named else None
        yield Use(api, named, node, place, call, origin if length <= len(target) else None)

    def _trace(self, name: str, scope: Scope) -> tuple[ast.alias | None, tuple[str, ...]]:
        """Returns the import that a name came by, and the full name it stands for; () for none."""
        owner = scope.find(name)
        if owner is None:
            return None, (name,)
        targets = {self._target(node, name) for node in owner.bindings[name]}
        if len(targets) != 1 or not (target := targets.pop()):
            return None, ()
        first = owner.bindings[name][0]
        return (first if isinstance(first, ast.alias) else None), target

    def _target(self, node: ast.AST, name: str) -> tuple[str, ...]:
        """Returns the full name that a binding gives a name; () where it is no import."""
        statement = self._statements.get(node)
        if not isinstance(node, ast.alias) or statement is None:
            return ()
        if isinstance(statement, ast.Import):
            path = node.name if node.asname else node.name.partition(".")[0]
            return tuple(path.split("."))
        if statement.level or not statement.module:
            return ()
        return (*statement.module.split("."), name if node.name == "*" else node.name)


def _order(uses: list[Use]) -> tuple[Use, ...]:
    """Orders uses as they stand in the source."""
    return tuple(sorted(uses, key=lambda use: (use.node.lineno, use.node.col_offset)))


def find_uses(tree: ast.Module) -> ProgramUses:
    """Finds the uses of the standard library's APIs in a program."""
    return UseFinder(tree).find()


def list_bound(scopes: ScopeReader) -> frozenset[str]:
    """Lists every name that any scope of a program binds or declares."""
    found: set[str] = set()
    for place in scopes.places.values():
        scope: Scope | None = place.scope
        while scope is not None:
            found.update(scope.bindings, scope.globals, scope.nonlocals)
            scope = scope.parent
    return frozenset(found)
