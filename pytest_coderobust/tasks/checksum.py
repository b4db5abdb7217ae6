"""The SHA-256 beside a cached file, in the form that `sha256sum --check` reads."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pytest_coderobust.files import replace_file

_CHUNK = 1 << 20


def sha256(path: Path) -> str:
    """Computes the SHA-256 of a file's bytes, in hexadecimal."""
    return _hash(path, "sha256")


def git_blob(path: Path) -> str:
    """Computes git's name of a file's content, which is the hub's checksum of small files."""
    return _hash(path, "sha1", f"blob {path.stat().st_size}\0".encode())


def write_checksum(path: Path, digest: str) -> None:
    """Writes the checksum of a file, which need not be there yet."""
    replace_file(checksum_path(path), f"{digest}  {path.name}\n".encode())


def read_checksum(path: Path) -> str | None:
    """Reads the checksum that was written for a file; None where there is none."""
    try:
        return checksum_path(path).read_text(encoding="ascii").partition(" ")[0]
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def checksum_path(path: Path) -> Path:
    """The path of the checksum of a file."""
    return path.with_name(f"{path.name}.sha256")


def _hash(path: Path, algorithm: str, prefix: bytes = b"") -> str:
    hasher = hashlib.new(algorithm, prefix, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()
