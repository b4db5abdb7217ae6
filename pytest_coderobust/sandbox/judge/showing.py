"""Shows packages in a cage's plan: their own files, and nothing else of the environment.

Packages are imported through a folder that holds nothing but what may be read. Where mounts make
a root of the cage's own, they are mounted into that folder. Elsewhere it is a folder of links,
because Landlock cannot allow the packages' own folder without all that is in it.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_coderobust.sandbox.cage.libraries import LIBRARIES
from pytest_coderobust.sandbox.cage.plan import BWRAP, NS, CagePlan
from pytest_coderobust.sandbox.packages.files import PackageFiles

MOUNTED = (NS, BWRAP)
PLACE = "/packages"
"""The folder of packages in a root of the cage's own."""


def show_packages(plan: CagePlan, files: PackageFiles, names: Iterable[str]) -> CagePlan:
    """Makes a plan show packages.

    Args:
        names: every distribution among them.
    """
    mounted = plan.tier in MOUNTED
    place = PLACE if mounted else f"{plan.scratch}{PLACE.replace('/', '-')}"
    roots = tuple(f"{place}/{at}" for at in range(len(files.roots)))
    placed = tuple(
        (f"{source}/{name}", f"{root}/{name}")
        for source, root, shown in zip(files.roots, roots, files.shown, strict=True)
        for name in shown
    )
    hidden = {Path(root) for root in (*files.roots, *find_site_folders())}
    readable = tuple(str(path) for path in leave_out(map(Path, plan.readable), hidden, mounted))
    if not mounted:
        lay_links(Path(place), placed)
        readable = (*readable, *(source for source, _ in placed), place)
    return plan._replace(
        readable=readable,
        placed=placed if mounted else (),
        roots=roots,
        modules=files.modules,
        libraries=tuple(name for name in LIBRARIES if name in set(names)),
    )


def find_site_folders() -> Iterator[str]:
    """Finds the folders of the environment's packages: the path without the standard library."""
    paths = sysconfig.get_paths()
    own = {Path(paths["stdlib"]), Path(paths["platstdlib"])}
    own |= {path / "lib-dynload" for path in own}
    for entry in (*sys.path, paths["purelib"], paths["platlib"]):
        path = Path(entry).absolute()
        around = any(path == each or path in each.parents for each in own)
        if entry and path.is_dir() and not around:
            yield str(path)


def leave_out(paths: Iterable[Path], hidden: set[Path], mounted: bool) -> Iterator[Path]:
    """Yields paths, and in place of one around a hidden folder all that is beside that folder.

    Args:
        mounted: a link is shown as a link; else as what it leads to, as Landlock takes it.
    """
    for path in paths:
        if path in hidden:
            continue
        if path.is_symlink():
            target = path.resolve()
            around = any(target == each or target in each.parents for each in hidden)
            if mounted or not around:
                yield path
            else:
                yield from leave_out([target], hidden, mounted)
        elif any(path in each.parents for each in hidden):
            yield from leave_out(sorted(path.iterdir()), hidden, mounted)
        else:
            yield path


def lay_links(folder: Path, placed: Iterable[tuple[str, str]]) -> None:
    """Lays links below a folder, by what they lead to and their own names."""
    folder.mkdir()
    for source, name in placed:
        link = Path(name)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(source)
    for made in (folder, *(path for path in folder.rglob("*") if not path.is_symlink())):
        made.chmod(0o755)  # whatever the umask: a candidate's own user must get through
