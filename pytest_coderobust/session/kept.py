"""Files that are kept beside the ledger, so that nothing is computed or downloaded twice.

Covariances, encoders, hyper-networks, data sets and fingerprints lie in the user's cache folder;
models that `coderobust finetune` trained lie below the project's root.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from pytest_coderobust.errors import DataError, UnknownName
from pytest_coderobust.models.folders import TRAINING_FILE

TRAINED = "trained"
KINDS: Mapping[str, str] = {
    "covariances": "of layers' keys, for memit and pmet",
    "encoders": "of prompts, for a-grace",
    "hyper-networks": "for malmen",
    "datasets": "that `coderobust fetch` downloaded",
    "fingerprints": "of checkpoints' files",
    TRAINED: "models that `coderobust finetune` made below the project's root",
}
"""Kinds of kept files, each with what it is."""

_DEEPEST = 5
_LEFT_OUT = frozenset({"node_modules", "site-packages", "__pycache__"})


@dataclass(frozen=True, slots=True)
class KeptEntry:
    """One entry that can be removed alone.

    Attributes:
        path: a file, or the folder of a trained model.
        size: in bytes.
    """

    kind: str
    path: Path
    size: int


def list_kept(root: Path) -> dict[str, list[KeptEntry]]:
    """Lists what is kept, by kind, each sorted by path.

    Args:
        root: the project's; models are looked for where it has a `.coderobust` folder.
    """
    base = user_cache_path("pytest-coderobust")
    found = {
        kind: [KeptEntry(kind, path, path.lstat().st_size) for path in _list_files(base / kind)]
        for kind in KINDS
        if kind != TRAINED
    }
    models = sorted(_find_models(root)) if (root / ".coderobust").is_dir() else []
    found[TRAINED] = [
        KeptEntry(TRAINED, path, sum(each.lstat().st_size for each in _list_files(path)))
        for path in models
    ]
    return found


def clear_kept(root: Path, kinds: Sequence[str]) -> list[KeptEntry]:
    """Removes everything of some kinds; returns what was removed.

    Args:
        kinds: "all" is every kind but trained models, which are named or kept.

    Raises:
        UnknownName: there is no such kind.
        DataError: something cannot be removed.
    """
    chosen: dict[str, None] = {}
    for kind in kinds:
        if kind not in (*KINDS, "all"):
            raise UnknownName("kind of kept files", kind, (*KINDS, "all"), "--clear: ")
        named = (kind,) if kind != "all" else (each for each in KINDS if each != TRAINED)
        chosen.update(dict.fromkeys(named))
    kept = list_kept(root)
    gone = [entry for kind in chosen for entry in kept[kind]]
    for entry in gone:
        try:
            shutil.rmtree(entry.path) if entry.path.is_dir() else entry.path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise DataError(f"{entry.path}: cannot be removed: {error}") from None
    return gone


def format_size(count: int) -> str:
    """Formats a number of bytes: "3 kB", "1.2 GB"."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit in ("B", "kB") or value >= 100 else f"{value:.1f} {unit}"


def _list_files(folder: Path) -> list[Path]:
    """Lists the files below a folder; links count as files and are not followed."""
    found: list[Path] = []
    for inner, _, names in os.walk(folder):
        found += [Path(inner) / name for name in names]
    return sorted(found)


def _find_models(root: Path) -> Iterator[Path]:
    """Finds the folders of trained models, not deeper than five folders and in no hidden one.

    What lies in another project, or is a repository of its own, is not ours to clear.
    """
    for inner, folders, names in os.walk(root):
        depth = len(Path(inner).relative_to(root).parts)
        if depth and {".coderobust", ".git"} & {*folders, *names}:
            folders.clear()
        elif TRAINING_FILE in names and depth:
            folders.clear()
            yield Path(inner)
        elif depth == _DEEPEST:
            folders.clear()
        else:
            kept = (each for each in folders if not each.startswith(".") and each not in _LEFT_OUT)
            folders[:] = sorted(kept)
