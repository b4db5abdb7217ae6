"""The SHA-256 beside a cached file, in the form that `sha256sum --check` reads."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_CHUNK = 1 << 20


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    return _hashed(path, "sha256")


def git_blob(path: Path) -> str:
    """The name git gives the file's content: the hub's checksum of small files."""
    return _hashed(path, "sha1", f"blob {path.stat().st_size}\0".encode())


def record(path: Path, digest: str) -> None:
    """Notes the checksum of a file, which need not be there yet."""
    replace(beside(path), f"{digest}  {path.name}\n".encode())


def recorded(path: Path) -> str | None:
    """The checksum that was noted for a file, or None."""
    try:
        return beside(path).read_text(encoding="ascii").partition(" ")[0]
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def beside(path: Path) -> Path:
    """Where the checksum of a file is noted."""
    return path.with_name(f"{path.name}.sha256")


def replace(path: Path, data: bytes) -> None:
    """Writes a file so that it is either the old or the new one, whatever happens."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _hashed(path: Path, algorithm: str, prefix: bytes = b"") -> str:
    hasher = hashlib.new(algorithm, prefix, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()
