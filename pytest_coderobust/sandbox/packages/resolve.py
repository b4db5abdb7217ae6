"""Names of distributions, resolved to what is installed here, and to all that it requires."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from pytest_coderobust.errors import ConfigError
from pytest_coderobust.records import Packages

Distributions = Mapping[str, metadata.Distribution]
"""Distributions by normalised name, in the order of their names."""
Need = tuple[str, frozenset[str]]
"""A normalised name, with the extras of it that a requirement asks for."""


@lru_cache(maxsize=64)
def resolve(names: tuple[str, ...], where: str = "packages") -> Packages:
    """Finds distributions and what they require; cached, because every check asks.

    Args:
        where: file, section and key of the names, to begin an error with.

    Raises:
        ConfigError: one is not installed, or cannot be shown without the rest of the environment.
    """
    found = find_distributions(names, where)
    asked = sorted({str(canonicalize_name(name)) for name in names})
    return Packages(tuple(asked), tuple((name, each.version) for name, each in found.items()))


def find_distributions(names: Sequence[str], where: str = "packages") -> Distributions:
    """Finds installed distributions with all that they require, by metadata alone.

    Markers are evaluated for this interpreter. Extras count where a requirement names them.

    Raises:
        ConfigError: as `resolve`.
    """
    found: dict[str, metadata.Distribution] = {}
    done: set[Need] = set()
    waiting = [((str(canonicalize_name(name)), frozenset[str]()), name, "") for name in names]
    while waiting:
        wanted, told, owner = waiting.pop()
        if wanted in done:
            continue
        done.add(wanted)
        name, extras = wanted
        need = f"{told!r}, which {owner!r} needs," if owner else repr(told)
        try:
            distribution = found[name] = metadata.distribution(name)
        except (metadata.PackageNotFoundError, ValueError):
            problem = "is not installed" if owner else f"is not installed{_suggest(told)}"
            raise ConfigError(f"{where}: {need} {problem}") from None
        if problem := find_fault(distribution):
            raise ConfigError(f"{where}: {need} {problem}")
        waiting += [(more, more[0], name) for more in list_requirements(distribution, extras)]
    return dict(sorted(found.items()))


def list_requirements(
    distribution: metadata.Distribution, extras: Iterable[str] = ()
) -> Iterator[Need]:
    """Lists what a distribution requires here."""
    chosen = ["", *extras]
    for text in distribution.requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in chosen):
            yield str(canonicalize_name(requirement.name)), frozenset(requirement.extras)


def find_fault(distribution: metadata.Distribution) -> str:
    """Says why a distribution's own files cannot be told from others; "" where they can."""
    if is_editable(distribution):
        return "is installed editable, and its folder may hold anything; install it as it is"
    if distribution.read_text("RECORD") is None:
        return "has no RECORD of its files; install it with pip"
    for text in distribution.requires or ():
        try:
            Requirement(text)
        except InvalidRequirement:
            return f"requires what cannot be read: {text!r}"
    for file in distribution.files or ():
        if file.suffix == ".pth" and len(file.parts) == 1 and _adds_paths(distribution, str(file)):
            return f"is found by a path in {file.name}, not by files of its own"
    return ""


def is_editable(distribution: metadata.Distribution) -> bool:
    """Whether a distribution is a link to a folder of sources."""
    try:
        source = json.loads(distribution.read_text("direct_url.json") or "{}")
        return bool(source["dir_info"].get("editable"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _adds_paths(distribution: metadata.Distribution, name: str) -> bool:
    """Whether a .pth file adds folders to the path, by its lines or as an editable finder does."""
    try:
        text = Path(str(distribution.locate_file(name))).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return True
    lines = [line.strip() for line in text.splitlines()]
    own = [line for line in lines if line and not line.startswith("#")]
    return name.startswith("__editable__") or any(not line.startswith("import") for line in own)


def _suggest(name: str) -> str:
    """The tail of a sentence that offers the distribution that may have been meant."""
    owners = metadata.packages_distributions().get(name)
    if owners:
        return f"; the module of that name is in {sorted(set(owners))[0]!r}"
    known = {str(each.metadata["Name"]) for each in metadata.distributions()}
    close = get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""
