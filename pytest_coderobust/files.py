"""Files: replaced whole, recognised by their first bytes, and explained where they are broken."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

LFS_HEAD = b"version https://git-lfs"
"""First bytes of the small text that Git keeps where Git LFS did not fetch the file."""
_GZIP_HEAD = b"\x1f\x8b"
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[][{},:]', re.DOTALL)
_PAIRS = {"}": "{", "]": "["}
_LAST = 8
"""Characters of a last word or escape that is not whole, at most."""


def replace_file(path: Path, data: bytes) -> None:
    """Writes a file beside its place and moves it there, whatever ends the process meanwhile.

    A reader sees the old content or the new one, never a part.

    Raises:
        OSError: the file cannot be written.
    """
    replace_pieces(path, (data,))


def replace_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Writes a file as `replace_file` does; an error in a piece leaves the old one, too."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def explain_unwritable(path: Path) -> str:
    """Explains why a file cannot be written; "" where it can. It is not touched."""
    if path.is_dir():
        return "is a folder"
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.touch()
    except OSError as error:
        return error.strerror or type(error).__name__
    beside.unlink(missing_ok=True)
    return ""


def is_gzip(head: bytes) -> bool:
    """Whether a file's first bytes are those of gzip, whatever the file is called."""
    return head.startswith(_GZIP_HEAD)


def explain_lfs_pointer(head: bytes, what: str) -> str:
    """Explains a file that is a pointer of Git LFS; "" for any other.

    Args:
        head: the first bytes of the file, at least as many as `LFS_HEAD` has.
        what: the content that should be there, as in "the weights".
    """
    if not head.startswith(LFS_HEAD):
        return ""
    return f"the file is a Git LFS pointer and not {what}; `git lfs pull` in its repository gets it"


def explain_json_error(error: ValueError | RecursionError) -> str:
    """Explains in one clause why a text is not JSON; a text that was cut off is told as that."""
    if not isinstance(error, json.JSONDecodeError):
        return str(error)  # a number of 5,000 digits, nesting
    text = error.doc.rstrip()
    if error.msg.startswith("Unterminated string") or error.pos >= len(text) - _LAST:
        keys = _find_open_keys(text)
        if keys is not None:
            inside = f"inside the value of {keys[0][:40]!r}" if keys else "too early"
            return f"it ends {inside}; was the file cut off?"
    place = f"line {error.lineno}" if "\n" in text else f"column {error.colno}"
    return f"{error.msg} at {place}"


def _find_open_keys(text: str) -> list[str] | None:
    """Keys whose values are open at the end of a JSON text, outermost first; None for none."""
    stack: list[tuple[str, str | None]] = []
    last = ""
    for match in _TOKEN.finditer(text):
        mark = match.group()
        if mark in ("{", "["):
            stack.append((mark, None))
        elif mark in _PAIRS:
            if not stack or stack.pop()[0] != _PAIRS[mark]:
                return None
        elif mark in (":", ",") and stack and stack[-1][0] == "{":
            stack[-1] = ("{", last[1:-1] if mark == ":" else None)
        last = mark
    return [key for _, key in stack if key is not None] if stack else None
