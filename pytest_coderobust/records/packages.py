"""Installed packages that solutions and their tests may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Packages:
    """Installed distributions that a cage shows; none by default.

    Attributes:
        names: those that a suite asks for, normalised and sorted.
        versions: name and version of each of them, and of all that they require, by name.
    """

    names: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.names)

    @property
    def label(self) -> str:
        """Every distribution with its version: "numpy 2.4.6, pandas 3.1.1"."""
        return ", ".join(f"{name} {version}" for name, version in self.versions)
