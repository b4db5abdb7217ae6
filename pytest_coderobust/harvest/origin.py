"""Origin of harvested functions: distribution, version and licence, from the package's metadata."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata

from pytest_coderobust.errors import ConfigError
from pytest_coderobust.records import Packages
from pytest_coderobust.sandbox.packages.resolve import resolve

LIBRARY_LICENCE = "PSF-2.0"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class HarvestOrigin:
    """Where functions come from.

    Attributes:
        licence: as the metadata says it, "unknown" where it says nothing.
        packages: what a cage must show for their prompts; none for the standard library.
        hidden: why the package cannot be shown in a cage, or "".
    """

    distribution: str
    version: str
    licence: str
    packages: Packages
    hidden: str = ""

    @property
    def is_library(self) -> bool:
        """Whether it is Python's own library."""
        return self.distribution == "python"

    def describe(self, name: str, line: int) -> Mapping[str, object]:
        """Describes the origin of one function, for its row."""
        return {
            "package": self.distribution,
            "version": self.version,
            "licence": self.licence,
            "function": name,
            "line": line,
        }


def find_origin(package: str) -> HarvestOrigin:
    """Finds the distribution of a package; one that no distribution has is of unknown licence."""
    top = package.partition(".")[0]
    if top in sys.stdlib_module_names:
        return HarvestOrigin("python", platform.python_version(), LIBRARY_LICENCE, Packages())
    owners = sorted(set(metadata.packages_distributions().get(top, ())))
    if not owners:
        hidden = "it is in no installed distribution"
        return HarvestOrigin(top, UNKNOWN, UNKNOWN, Packages(), hidden)
    found = metadata.distribution(owners[0])
    name, version, licence = str(found.metadata["Name"]), found.version, read_licence(found)
    try:
        return HarvestOrigin(name, version, licence, resolve((name,), "harvest"))
    except ConfigError as error:
        hidden = str(error).partition(": ")[2]
        return HarvestOrigin(name, version, licence, Packages(), hidden)


def read_licence(found: metadata.Distribution) -> str:
    """Reads a distribution's licence: its expression, its classifiers, or its own words."""
    about = found.metadata.json
    expression = str(about.get("license_expression") or "")
    if expression:
        return expression
    listed = about.get("classifier") or []
    named = [str(each) for each in listed if str(each).startswith("License :: ")]
    if named:
        return ", ".join(each.rpartition(" :: ")[2] for each in named)
    text = str(about.get("license") or "").strip()
    return text.splitlines()[0][:100] if text else UNKNOWN
