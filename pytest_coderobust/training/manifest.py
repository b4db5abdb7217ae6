"""Manifest of sets that were built: what it says of one of them, when that is read again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pytest_coderobust.errors import DataError, UsageError

MANIFEST = "manifest.json"
MANIFEST_FORMAT = "coderobust training sets, 1"


@dataclass(frozen=True, slots=True)
class BuiltFacts:
    """Facts about a set, as its manifest has them.

    Attributes:
        template: the text around a prompt of the rows that the set was built of.
        perturbed: the number of rows with a perturbed prompt; None where it does not say.
        members: the perturbations of those rows, by name; None likewise.
        compared: digests of the suites' tasks that the clean rows were compared with.
    """

    template: str
    perturbed: int | None
    members: tuple[str, ...] | None
    compared: frozenset[str]


def read_built(path: Path) -> BuiltFacts | None:
    """Reads what the manifest beside a built set says of it; None for other data.

    Raises:
        DataError: the set has lost its manifest, or is not as the manifest has it.
    """
    if not path.is_file() or path.suffix != ".jsonl":
        return None
    with path.open("rb") as stream:
        if not _is_built(stream.readline()):
            return None
    try:
        manifest: Any = json.loads((path.parent / MANIFEST).read_bytes())
        told: Any = manifest["sets"][path.stem]
        same = told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(
            f"{path}: {MANIFEST}, which finetune-data wrote beside it, is missing or says nothing "
            "of this set; keep the two together"
        ) from None
    if not same:
        raise DataError(f"{path}: the file has changed since {MANIFEST} was written")
    return _read_facts(manifest, told)


def check_manifest(folder: Path) -> None:
    """Refuses a folder whose manifest is another program's.

    Raises:
        UsageError: it would be written over.
    """
    file = folder / MANIFEST
    if not file.exists():
        return
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or "sets" not in found:
        raise UsageError(
            f"--out {folder}: its {MANIFEST} is not one of finetune-data; name another folder"
        )


def _read_facts(manifest: dict[str, Any], told: dict[str, Any]) -> BuiltFacts:
    template, perturbed = manifest.get("template"), told.get("perturbed")
    members, suites = told.get("members"), manifest.get("suites")
    tasks = suites.get("tasks") if isinstance(suites, dict) else None
    return BuiltFacts(
        template if isinstance(template, str) else "{prompt}",
        perturbed if isinstance(perturbed, int) else None,
        tuple(sorted(cast("dict[str, object]", members))) if isinstance(members, dict) else None,
        frozenset(map(str, tasks.values())) if isinstance(tasks, dict) else frozenset(),
    )


def _is_built(line: bytes) -> bool:
    """Whether `coderobust finetune-data` wrote the file that begins with this line."""
    try:
        first = json.loads(line)
    except ValueError:
        return False
    keys = {"id", "prompt", "completion", "perturbation", "skipped"}
    return isinstance(first, dict) and keys <= cast("dict[str, object]", first).keys()
