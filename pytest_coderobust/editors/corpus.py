"""Corpus of ordinary code, on which covariances of keys are measured; nothing here imports torch.

The default is the source of the running Python's own library: always there, and never downloaded.
"""

from __future__ import annotations

import random
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.fingerprint import file_digest
from pytest_coderobust.records import digest

STDLIB = "stdlib"
"""Name of the running Python's own library."""

IDENTITY = "identity"
"""Name of no corpus: the identity takes the covariance's place."""

_LEFT_OUT = frozenset({"test", "tests", "site-packages", "dist-packages", "__pycache__"})


def list_files(corpus: str) -> tuple[Path, list[Path]]:
    """Lists the files of a corpus, sorted by path; returns its folder and them.

    Args:
        corpus: "stdlib" for the Python files of the running library without its tests, or a folder,
            all of whose files are read that are text in UTF-8; hidden ones are left out.

    Raises:
        UsageError: there is no such folder, or no file in it.
    """
    if corpus == STDLIB:
        folder, files = _list_library()
        return folder, list(files)
    folder = Path(corpus).expanduser()
    if not folder.is_dir():
        raise UsageError(f"corpus={corpus}: no such folder; write corpus=FOLDER or corpus=stdlib")
    files = _find_files(folder, "*", frozenset())
    if not files:
        raise UsageError(f"corpus={corpus}: {folder} holds no file to read; give another folder")
    return folder, list(files)


@cache
def _list_library() -> tuple[Path, tuple[Path, ...]]:
    """Lists the running library, which stays as it is, once a process."""
    folder = Path(sysconfig.get_path("stdlib"))
    return folder, _find_files(folder, "*.py", _LEFT_OUT)


def _find_files(folder: Path, pattern: str, left_out: frozenset[str]) -> tuple[Path, ...]:
    found = sorted(path for path in folder.rglob(pattern) if path.is_file())
    inner = [(path, path.relative_to(folder).parts) for path in found]
    return tuple(
        path
        for path, parts in inner
        if left_out.isdisjoint(parts) and not any(part.startswith(".") for part in parts)
    )


@cache
def corpus_digest(corpus: str) -> str:
    """Computes the digest of a corpus's files and their names, once a process.

    Raises:
        UsageError: as `list_files`.
    """
    if corpus == IDENTITY:
        return digest("corpus", corpus)
    folder, files = list_files(corpus)
    rows = [(path.relative_to(folder).as_posix(), file_digest(path)) for path in files]
    return digest("corpus", rows)


def read_texts(corpus: str, seed: int) -> Iterator[str]:
    """Yields the texts of a corpus in an order drawn by the seed; what is not UTF-8 is passed over.

    Raises:
        UsageError: as `list_files`.
    """
    _, files = list_files(corpus)
    random.Random(seed).shuffle(files)
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if text.strip():
            yield text
