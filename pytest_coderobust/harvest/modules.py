"""Modules of a package as source files, found without running any of its code."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import metadata
from pathlib import Path

from pytest_coderobust.errors import DataError, UsageError

_TESTS = re.compile(r"tests?$|test_.*|.*_test$|conftest$|__main__$|_?testing$|benchmarks?$")
"""Names of modules and folders that hold tests or programs."""


@dataclass(frozen=True, slots=True)
class SourceModule:
    """A module and its source.

    Attributes:
        name: the full name, e.g. "networkx.utils.misc".
        package: the full name of the package that relative imports start from.
    """

    name: str
    package: str
    path: Path
    text: str
    tree: ast.Module


@dataclass(frozen=True, slots=True)
class PackageSource:
    """The modules of a package.

    Attributes:
        unreadable: full names of the modules that are no Python of this version.
    """

    modules: tuple[SourceModule, ...]
    unreadable: tuple[str, ...] = ()


@contextmanager
def search_folder(folder: Path) -> Generator[None]:
    """Lets packages be found in a folder, and in `src` below it, behind all other places.

    A console script does not look where it is called, as `python -m` does.
    """
    before = list(sys.path)
    places = [folder.absolute(), folder.absolute() / "src"]
    sys.path += [str(each) for each in places if each.is_dir() and str(each) not in sys.path]
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = before


def find_modules(package: str) -> PackageSource:
    """Finds the modules of a package, of a part of it (`networkx.utils`), or the one module.

    Modules of tests are left out.

    Raises:
        UsageError: there is no such package, it has no source in Python, or none that parses.
    """
    top, *inner = package.split(".")
    if not all(part.isidentifier() for part in (top, *inner)):
        raise UsageError(f"{package!r} is not the name of a package or module")
    try:
        spec = importlib.util.find_spec(top)
    except (ValueError, ImportError):
        spec = None
    if spec is None or (spec.origin is None and not spec.submodule_search_locations):
        raise UsageError(f"there is no package {top!r} here{_suggest(top)}")
    if spec.submodule_search_locations:
        start = Path(next(iter(spec.submodule_search_locations))).joinpath(*inner)
    else:
        start = Path(str(spec.origin)).with_suffix("") if not inner else Path(str(spec.origin), "-")
    files = [(name, path) for name, path in _walk(package, start) if not _is_of_tests(name)]
    if not files:
        raise UsageError(f"{package!r} has no source in Python that could be read")
    return _read_all(files)


def _read_all(files: Sequence[tuple[str, Path]]) -> PackageSource:
    read = [(name, _read(name, path)) for name, path in files]
    modules = tuple(module for _, module in read if module is not None)
    unreadable = tuple(name for name, module in read if module is None)
    if not modules:
        more = f", nor any other of {len(unreadable)}" if len(unreadable) > 1 else ""
        raise UsageError(f"{files[0][1]}: the file is no Python of this version{more}")
    return PackageSource(modules, unreadable)


def split_lines(text: str) -> list[str]:
    """Splits a text into lines with their ends, as Python's grammar counts them.

    `str.splitlines` ends lines at form feeds and separators of other alphabets too.
    """
    return [line for line in re.split(r"(?<=\n)", text) if line]


def _suggest(name: str) -> str:
    known = {*metadata.packages_distributions(), *sys.stdlib_module_names}
    close = get_close_matches(name.replace("-", "_"), sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _walk(name: str, start: Path) -> Iterator[tuple[str, Path]]:
    """The modules below a folder or at a file without its suffix, in the order of their names."""
    module = start.with_name(f"{start.name}.py")
    if module.is_file():
        yield name, module
    if not start.is_dir():
        return
    for path in sorted(start.rglob("*.py")):
        parts = path.relative_to(start).with_suffix("").parts
        inner = parts[:-1] if parts[-1] == "__init__" else parts
        if all(part.isidentifier() for part in inner):
            yield ".".join((name, *inner)), path


def _is_of_tests(name: str) -> bool:
    return any(_TESTS.match(part) for part in name.split(".")[1:])


def _read(name: str, path: Path) -> SourceModule | None:
    try:
        text = path.read_text(encoding="utf-8-sig")
        tree = ast.parse(text)
    except (SyntaxError, ValueError, UnicodeDecodeError):
        return None
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error.strerror})") from None
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return SourceModule(name, package, path, text, tree)
