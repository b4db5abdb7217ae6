"""Compiled Java programs: several to a call of the compiler, kept by their source.

A call costs more than what is in it, so checks that wait are compiled together, each in a package
of its own under a name that nobody can guess. A program in which a package can be seen from inside
(reflection, class names) is compiled by itself, as is one that has errors: the others go on without
it, and its message is that of its own call.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.languages import java
from pytest_coderobust.sandbox.languages.warm import CompilerReply, WarmCompiler

KEPT = 64
"""Programs that are kept, some ten kilobytes each."""
ROUNDS = 3
"""Calls for one batch: each leaves out what had errors in the call before."""
SOURCE_CHARACTERS = 50_000
"""Longest source that is compiled together with others."""
SEES_PACKAGE = re.compile(
    r"\\u|\bpackage\b|\bClass\b|\bgetClass\b|\b\w*(?:Package|ClassLoader|StackTrace|Resource)\w*"
    r"|\b(?:forName|getName|getTypeName|getCanonicalName|MethodHandles?|StackWalker|Proxy)\b"
    r"|\.class\b|\bextends\s+[\w.]*(?:Exception|Error|Throwable)\b"
)
"""Matches what may make a program behave in another way inside a package."""


@dataclass(frozen=True, slots=True)
class JavaBuild:
    """A compiled program: its classes by name, and the one that starts it, with its package."""

    name: str
    classes: Mapping[str, bytes]


class JavaBuilds:
    """Compiles programs and keeps the newest."""

    def __init__(self, compiler: WarmCompiler) -> None:
        self._compiler = compiler
        self._kept: OrderedDict[bytes, JavaBuild] = OrderedDict()

    def build(self, check: Check) -> JavaBuild | CompilerReply:
        """Compiles a check's program unless it is kept; returns the trouble where there is some.

        Raises:
            SandboxError: the tests cannot be read, or the compiler cannot be started.
        """
        key = make_key(check)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        name = make_name()
        reply = self._compiler.compile(java.write_sources(check.solution, check.tests, name))
        if reply.trouble:
            return reply
        return self._keep(key, JavaBuild(name, reply.classes))

    def build_together(self, checks: Iterable[Check]) -> None:
        """Compiles programs by one call, for `build` to find; some may be left to it.

        Raises:
            SandboxError: the compiler cannot be started.
        """
        waiting = {make_key(each): each for each in checks if fits_package(each)}
        waiting = {key: each for key, each in waiting.items() if key not in self._kept}
        for _ in range(ROUNDS):
            if len(waiting) < 2:
                return
            packages = {make_name().lower(): key for key in waiting}
            names = {package: make_name() for package in packages}
            sources: dict[str, str] = {}
            for package, key in packages.items():
                check = waiting[key]
                sources |= java.write_sources(check.solution, check.tests, names[package], package)
            reply = self._compiler.compile(sources, several=True)
            if not reply.trouble:
                self._keep_all(packages, names, reply)
                return
            faulty = {name.strip("/").partition("/")[0] for name in reply.faulty}
            if not faulty & packages.keys():
                return  # it hung or died, and nobody knows of which
            waiting = {k: waiting[k] for package, k in packages.items() if package not in faulty}

    def _keep_all(
        self, packages: Mapping[str, bytes], names: Mapping[str, str], reply: CompilerReply
    ) -> None:
        classes: dict[str, dict[str, bytes]] = {package: {} for package in packages}
        for name, data in reply.classes.items():
            classes[name.partition(".")[0]][name] = data
        for package, key in packages.items():
            self._keep(key, JavaBuild(f"{package}.{names[package]}", classes[package]))

    def _keep(self, key: bytes, build: JavaBuild) -> JavaBuild:
        self._kept[key] = build
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return build


def make_name() -> str:
    """Makes a class name that nobody can guess."""
    return f"T{secrets.token_hex(8)}"


def make_key(check: Check) -> bytes:
    """Makes the key of a check's program."""
    texts = (check.solution, check.tests.source)
    digests = [hashlib.sha256(each.encode("utf-8", "surrogatepass")).digest() for each in texts]
    return b"".join(digests)


def fits_package(check: Check) -> bool:
    """Whether a program does the same inside a package as outside."""
    texts = (check.solution, check.tests.source)
    try:
        java.count(check.tests)
    except SandboxError:
        return False  # `build` says it of the check that has them
    short = all(len(each) <= SOURCE_CHARACTERS for each in texts)
    return bool(check.solution.strip()) and short and not any(map(SEES_PACKAGE.search, texts))
