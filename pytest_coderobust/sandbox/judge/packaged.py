"""Fork servers with packages: one for each set of packages, started with its first check."""

from __future__ import annotations

from collections.abc import Callable

from pytest_coderobust.errors import CodeRobustError, SandboxError
from pytest_coderobust.records import Packages
from pytest_coderobust.sandbox.cage.libraries import LIBRARIES, find_vocabularies
from pytest_coderobust.sandbox.cage.vocabulary import speak
from pytest_coderobust.sandbox.judge.zygote import Zygote
from pytest_coderobust.sandbox.packages.files import PackageFiles, find_package_files
from pytest_coderobust.sandbox.packages.resolve import resolve

OpenPackaged = Callable[[PackageFiles, Packages, int], Zygote]
"""Opens a cage that shows packages. It gets a number that no other one of these cages has."""


class PackagedZygotes:
    """Zygotes by packages, and the vocabulary of the wire that goes with each.

    Args:
        plain: the zygote of checks without packages; somebody else closes it.
    """

    def __init__(self, plain: Zygote, open_packaged: OpenPackaged) -> None:
        self._open_packaged = open_packaged
        self._chosen = Packages()
        self._open: dict[Packages, Zygote] = {self._chosen: plain}
        self._failed: dict[Packages, str] = {}

    @property
    def forks(self) -> int:
        """Number of candidates' processes so far."""
        return sum(each.forks for each in self._open.values())

    def choose(self, packages: Packages) -> Zygote:
        """Returns the zygote for packages, and makes this process speak of their values.

        Raises:
            SandboxError: they cannot be used here, now or ever after.
        """
        if packages in self._failed:
            raise SandboxError(self._failed[packages])
        if packages not in self._open:
            try:
                self._open[packages] = self._start(packages)
            except CodeRobustError as error:
                self._failed[packages] = str(error)
                raise SandboxError(str(error)) from None
        if packages != self._chosen:
            names = dict(packages.versions)
            speak(find_vocabularies(name for name in LIBRARIES if name in names))
            self._chosen = packages
        return self._open[packages]

    def _start(self, packages: Packages) -> Zygote:
        here = resolve(packages.names)
        if here != packages:
            raise SandboxError(
                f"packages: the checker finds {here.label}, and not {packages.label}, as was "
                "found for the suite; is one of them there twice?"
            )
        return self._open_packaged(find_package_files(packages), packages, len(self._open))

    def close(self) -> None:
        """Ends the zygotes with packages."""
        for packages, zygote in self._open.items():
            if packages:
                zygote.close()
