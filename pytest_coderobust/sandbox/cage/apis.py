"""Declared API changes in a candidate's process: the old name is gone, the new one is there.

A guarded module answers by the file that the asking code was compiled from. The standard library
finds everything as it always was and keeps working. Any other code gets AttributeError for an old
name (ImportError from an import statement, NameError for a builtin), by whatever way it came to the
module, and a counted stand-in for a new one. This keeps count of honest programs. It is not a
security boundary, and no verdict rests on it.
"""

from __future__ import annotations

import builtins
import importlib
import os
import sys
from collections.abc import Callable, Iterable
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from pytest_coderobust.sandbox.cage.stand_ins import WATCHED, Counted, Note, make_adapter
from pytest_coderobust.sandbox.cage.tally import UseCounts

LIBRARY = (
    os.path.dirname(os.__file__) + "/",  # noqa: PTH120  pathlib stays out of the cage
    os.path.dirname(os.path.abspath(__file__)) + "/",  # noqa: PTH100, PTH120
    "<frozen ",
    "<tests>",  # where tests run in this process
    "<helpers>",
)
_library: tuple[str, ...] = LIBRARY
VIEWS = ("__dict__", "__all__")


def enforce(changes: list[list[str]], tally: UseCounts) -> dict[str, Any]:
    """Makes the changes in this process and returns the builtins that solutions get.

    Args:
        changes: old and new full names ("" for a new one that there is not), and maybe the kind
            of adapter with its parameters.
        tally: two counters for each: attempts on the old name, uses of the new one.
    """
    own = Builtins(dict(vars(builtins)))
    found = [(look_up(old), look_up(new), adapter) for old, new, *adapter in changes]
    bars: list[ImportBar] = []
    given: list[tuple[ModuleType, str, Counted]] = []
    # All names were looked up before the first change, so that no change hides the next one's API.
    for index, ((owner, name, target), (heir_owner, heir, successor), adapter) in enumerate(found):
        note_old, note_new = make_note(tally, 2 * index), make_note(tally, 2 * index + 1)
        if adapter == [WATCHED]:
            given.append((owner, name, Counted(name, target, note_new)))
            continue
        bars.append(ImportBar(name, target, note_old))
        get_rules(owner).gone[name] = note_old
        if heir:
            value = target if successor is None else successor
            if adapter:
                value = make_adapter(heir, value, adapter[0], adapter[1:])
            given.append((heir_owner, heir, Counted(heir, value, note_new)))
        if owner is builtins:
            # Bare names are looked up in `own`; the module itself must stay whole for the library.
            own.pop(name, None)
            own.gone[name] = note_old
        elif isinstance(target, (FunctionType, BuiltinFunctionType)):
            vars(owner)[name] = bar_function(target, make_refusal(owner, name, note_old))
            bars.append(ImportBar(name, vars(owner)[name], note_old))
    for owner, name, stand_in in given:
        get_rules(owner).given[name] = stand_in
        if owner is builtins:
            own[name] = stand_in
    bar_loaded_modules(bars)
    own["__import__"] = make_import(bars)
    return own


def add_library(folders: Iterable[str]) -> None:
    """Counts the code below these folders as the library's: packages that solutions may use."""
    global _library
    _library = (*LIBRARY, *(f"{folder}/" for folder in folders))


def look_up(full_name: str) -> tuple[ModuleType, str, Any]:
    """Returns the module, the name in it, and the object there (None for nothing)."""
    path, _, name = full_name.rpartition(".")
    module = importlib.import_module(path) if path else builtins
    return module, name, getattr(module, name, None) if name else None


def make_note(tally: UseCounts, index: int) -> Note:
    """Makes a function that counts up one counter."""
    return lambda: tally.add(index)


def is_foreign_caller() -> bool:
    """Whether the caller of this function's caller is a solution's code."""
    frame = sys._getframe(2)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return not frame.f_code.co_filename.startswith(_library)


class Rules:
    """Names that one module hides from solutions, and names that it gives them.

    Attributes:
        gone: old names, and how to count an attempt on one.
        given: new names, and names that the solution itself assigned.
    """

    def __init__(self) -> None:
        self.gone: dict[str, Note] = {}
        self.given: dict[str, Any] = {}

    def answer(self, module: ModuleType, name: str, value: Callable[[], Any]) -> Any:
        """Returns what a solution finds under a name; `value` returns the library's object."""
        if name in self.given:
            return self.given[name]
        if name in self.gone:
            self.gone[name]()
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        if name == "__dict__":
            shown = {key: item for key, item in value().items() if key not in self.gone}
            return {**shown, **self.given}
        if name == "__all__":
            return [key for key in (*value(), *self.given) if key not in self.gone]
        return value()


def get_rules(module: ModuleType) -> Rules:
    """Returns the rules of a module, which obeys them from now on."""
    base: Any = type(module)
    if "coderobust_rules" in vars(base):
        rules: Rules = base.coderobust_rules
        return rules
    made = Rules()

    def read(self: ModuleType, name: str) -> Any:
        ruled = name in made.gone or name in made.given or name in VIEWS
        if ruled and is_foreign_caller():
            return made.answer(self, name, lambda: base.__getattribute__(self, name))
        return base.__getattribute__(self, name)

    def write(self: ModuleType, name: str, value: Any) -> None:
        if (name in made.gone or name in made.given) and is_foreign_caller():
            made.given[name] = value  # a replacement of the solution's own making is its own
        else:
            base.__setattr__(self, name, value)

    members = {"__getattribute__": read, "__setattr__": write, "coderobust_rules": made}
    module.__class__ = type("module", (base,), members)
    return made


class ImportBar:
    """One old function and the name under which no module may hand it out."""

    def __init__(self, name: str, target: Any, note: Note) -> None:
        self.name = name
        self.target = target
        self.note = note


def bar_loaded_modules(bars: list[ImportBar]) -> None:
    """Bars the old functions in every loaded module that imported them under their own name.

    Under another public name (`bisect.bisect` is `bisect.bisect_right`) they are another API.
    """
    loaded: list[Any] = list(sys.modules.values())
    for module in loaded:
        if not isinstance(module, ModuleType):
            continue
        names = ModuleType.__getattribute__(module, "__dict__")
        for bar in bars:
            for name in (bar.name, f"_{bar.name}"):
                if name in names and names[name] is bar.target and module is not builtins:
                    get_rules(module).gone.setdefault(name, bar.note)


def make_import(bars: list[ImportBar]) -> Callable[..., Any]:
    """Makes the import statement's function, for modules that solutions load later."""

    def load(*args: Any, **kwargs: Any) -> Any:
        before = len(sys.modules)
        module = builtins.__import__(*args, **kwargs)
        if len(sys.modules) != before:
            bar_loaded_modules(bars)
        note_imports(module, args[3] if len(args) > 3 else kwargs.get("fromlist"))
        return module

    return load


def note_imports(module: Any, names: Any) -> None:
    """Counts new names that a solution imports from a module; an import alone is a use."""
    rules = vars(type(module)).get("coderobust_rules")
    if rules is None or not isinstance(names, (tuple, list)):
        return
    for name in names:
        stand_in = rules.given.get(name)
        if isinstance(stand_in, Counted):
            stand_in.note_import()


def make_refusal(owner: ModuleType, name: str, note: Note) -> Callable[[], AttributeError]:
    """Makes a function that counts an attempt and returns its error."""

    def refuse() -> AttributeError:
        note()
        return AttributeError(f"module {owner.__name__!r} has no attribute {name!r}")

    return refuse


def bar_function(target: Any, refuse: Callable[[], AttributeError]) -> Any:
    """Makes an old function refuse solutions, in case one gets hold of it after all."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if is_foreign_caller():
            raise refuse()
        return target(*args, **kwargs)

    for name in ("__name__", "__qualname__", "__doc__", "__module__"):
        setattr(call, name, getattr(target, name, None))
    if isinstance(target, FunctionType):
        return call
    return staticmethod(call)  # like a function in C, it does not bind to an object


class Builtins(dict[str, Any]):
    """The builtins of a solution; Python looks bare names up here."""

    def __init__(self, names: dict[str, Any]) -> None:
        super().__init__(names)
        self.gone: dict[str, Note] = {}

    def __missing__(self, name: str) -> Any:
        if name in self.gone and is_foreign_caller():
            self.gone[name]()
        raise KeyError(name)
