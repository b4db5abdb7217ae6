"""The files of distributions by their RECORD: what a cage shows, and which modules it imports.

A folder that holds nothing else is shown whole. One that holds anything else too, such as a
namespace that several distributions share, is shown file by file. A module's compiled form belongs
to the module, whether RECORD lists it or not.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path, PurePosixPath

from packaging.utils import canonicalize_name

from pytest_coderobust.records import Packages
from pytest_coderobust.sandbox.packages.resolve import find_distributions

CACHE = "__pycache__"


@dataclass(frozen=True, slots=True)
class PackageFiles:
    """Packages as they lie on disk.

    Attributes:
        roots: the folders that their modules are imported from; most often one.
        shown: by root, the relative paths of what may be read; none is below another.
        modules: distribution and module of each import that makes a package ready.
    """

    roots: tuple[str, ...]
    shown: tuple[tuple[str, ...], ...]
    modules: tuple[tuple[str, str], ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The full path of everything that may be read."""
        pairs = zip(self.roots, self.shown, strict=True)
        return tuple(f"{root}/{name}" for root, names in pairs for name in names)


def find_package_files(packages: Packages) -> PackageFiles:
    """Finds the files of packages.

    Raises:
        ConfigError: what was resolved before is not installed any more.
    """
    distributions = find_distributions(packages.names)
    recorded: dict[str, set[str]] = {}
    for distribution in distributions.values():
        root = str(Path(str(distribution.locate_file(""))).absolute())
        recorded.setdefault(root, set()).update(list_recorded(distribution))
    roots = tuple(sorted(recorded))
    shown = tuple(tuple(find_shown(Path(root), recorded[root])) for root in roots)
    modules = tuple(
        (name, module) for name in packages.names for module in find_modules(distributions[name])
    )
    return PackageFiles(roots, shown, modules)


def list_recorded(distribution: metadata.Distribution) -> Iterator[str]:
    """Lists the recorded files below a distribution's root; its programs lie elsewhere."""
    for file in distribution.files or ():
        path = PurePosixPath(os.path.normpath(str(file)))
        if not path.is_absolute() and path.parts[0] != ".." and path.suffix != ".pth":
            yield str(path)


def find_shown(root: Path, recorded: Iterable[str]) -> list[str]:
    """Finds the fewest files and folders below a root that hold the recorded files alone."""
    files = set(recorded)
    tops = sorted({PurePosixPath(name).parts[0] for name in files})
    return [path for top in tops for path in _cover(root, top, files)[1]]


def _cover(root: Path, name: str, files: set[str]) -> tuple[bool, list[str]]:
    """Whether all below a path is recorded, and the paths to show of it."""
    path = root / name
    if path.is_symlink() or not path.is_dir():
        belongs = name in files or _is_compiled(name, files)
        return belongs, [name] if belongs and os.path.lexists(path) else []
    found = [
        _cover(root, f"{name}/{each}", files)
        for each in sorted(each.name for each in path.iterdir())
    ]
    if all(whole for whole, _ in found):
        return True, [name]
    return False, [each for _, paths in found for each in paths]


def _is_compiled(name: str, files: set[str]) -> bool:
    """Whether a file is what Python made of a recorded module."""
    path = PurePosixPath(name)
    if path.suffix != ".pyc" or path.parent.name != CACHE:
        return False
    return str(path.parents[1] / f"{path.name.partition('.')[0]}.py") in files


def find_modules(distribution: metadata.Distribution) -> Sequence[str]:
    """Finds the modules whose import makes a distribution ready.

    The one of the distribution's own name where there is one, else all that are not private.
    """
    own = str(canonicalize_name(distribution.metadata["Name"])).replace("-", "_")
    found = sorted({name for file in list_recorded(distribution) if (name := _name_module(file))})
    return [own] if own in found else [name for name in found if not name.startswith("_")]


def _name_module(file: str) -> str:
    """Names the module at the root that a file makes importable; "" for none."""
    *folders, last = PurePosixPath(file).parts
    if len(folders) > 1 or (folders and last != "__init__.py"):
        return ""
    suffix = next((each for each in (".py", *EXTENSION_SUFFIXES) if last.endswith(each)), "")
    name = folders[0] if folders else last.removesuffix(suffix) if suffix else ""
    return name if name.isidentifier() else ""
