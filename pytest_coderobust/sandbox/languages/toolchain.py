"""Compilers on this machine, and the files that a cage has to show so that they work."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pytest_coderobust.records import Language

CompiledLanguage = Literal["cpp", "java"]

NEEDS: dict[CompiledLanguage, tuple[tuple[str, ...], str, str]] = {
    "cpp": (("g++", "as", "ld"), "C++", "g++"),
    "java": (("javac", "java"), "Java", "default-jdk-headless"),
}
"""By language: programs, its name, and its package in Debian and Ubuntu."""
VERSION: dict[CompiledLanguage, str] = {"cpp": "--version", "java": "-version"}
FILES: dict[CompiledLanguage, tuple[str, ...]] = {
    "cpp": ("/usr/include", "/usr/local/include", "/usr/libexec/gcc"),
    "java": ("/etc/java-*", "/etc/ssl/certs/java", "/usr/share/java"),
}


@dataclass(frozen=True, slots=True)
class Tools:
    """A language's programs by name, the files they read, or the reason why there are none."""

    programs: dict[str, str]
    readable: tuple[str, ...]
    missing: str = ""


def missing_toolchain(language: Language) -> str:
    """Returns the reason why solutions in a language cannot be judged here, "" when they can."""
    return "" if language == "python" else find_tools(language).missing


@cache
def toolchain_version(language: Language) -> str:
    """Returns the versions that a language's programs print; "" for Python and missing ones."""
    if language == "python":
        return ""
    said: list[str] = []
    for program in find_tools(language).programs.values():
        done = subprocess.run(  # noqa: S603  found on the user's own PATH
            [program, VERSION[language]], capture_output=True, text=True, check=False, timeout=60
        )
        said.append((done.stdout or done.stderr).partition("\n")[0])
    return "; ".join(said)


@cache
def find_tools(language: CompiledLanguage) -> Tools:
    """Looks for a language's compiler."""
    names, title, package = NEEDS[language]
    found = {name: shutil.which(name) for name in names}
    absent = [name for name, path in found.items() if path is None]
    if absent:
        reason = f"{title} needs {' and '.join(absent)}, not found here (apt-get install {package})"
        return Tools({}, (), reason)
    programs = {name: str(path) for name, path in found.items()}
    files = [str(path) for pattern in FILES[language] for path in _matching(pattern)]
    for path in programs.values():
        files += _chain(Path(path))
    if language == "java":
        # .../bin/java: its library is beside it
        files.append(str(Path(programs["java"]).resolve().parents[1]))
    return Tools(programs, tuple(dict.fromkeys(files)))


def _matching(pattern: str) -> Iterator[Path]:
    whole = Path(pattern)
    if "*" in pattern:
        yield from sorted(whole.parent.glob(whole.name))
    elif whole.exists():
        yield whole


def _chain(path: Path) -> Iterator[str]:
    """Yields a path, and every link on the way to its target."""
    yield str(path)
    while path.is_symlink():
        path = path.parent / path.readlink()
        yield str(path)
