"""Downloads one file over HTTP, resumes where it was cut off, and verifies what arrived."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_coderobust.errors import DataError
from pytest_coderobust.tasks.checksum import git_blob, sha256

ATTEMPTS = 5
TIMEOUT_SECONDS = 60.0
_PAUSE_SECONDS = 0.2
_CHUNK = 1 << 16
_GONE = (401, 403, 404, 410)

Progress = Callable[[str, int, int], None]
"""Called with a file's path, the bytes that are here, and the bytes there will be."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the hub announces it.

    Attributes:
        size: in bytes.
        sha256: of its bytes, or "" where the hub only knows `git_blob`.
        git_blob: git's name of its content, or "".
    """

    path: str
    url: str
    size: int
    sha256: str = ""
    git_blob: str = ""


def read_url(url: str) -> bytes:
    """The body of a short answer.

    Raises:
        DataError: it cannot be had.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with _open(url, 0) as response:
                return response.read()
        except (OSError, http.client.HTTPException) as error:
            _give_up(url, error, attempt, kept=False)
    raise AssertionError("the last attempt returns or raises")


def download(file: RemoteFile, target: Path, progress: Progress) -> None:
    """Brings a file to `target`; what is there already is continued.

    Raises:
        DataError: it cannot be had, or is not what the hub announced even after a new start.
    """
    for _ in range(2):
        _complete(file, target, progress)
        if _verified(file, target):
            return
        target.unlink()  # parts of two versions, or damaged on the way: start anew, once
    raise DataError(f"{file.url}: what was downloaded does not match the hub's checksum")


def _complete(file: RemoteFile, target: Path, progress: Progress) -> None:
    """Appends to `target` until it has the announced size."""
    attempt = 1
    while (here := _size(target)) < file.size or not target.exists():
        try:
            _continue(file, target, progress)
            error: Exception = http.client.IncompleteRead(b"", file.size - _size(target))
        except (OSError, http.client.HTTPException) as caught:
            error = caught
        if _size(target) >= file.size and target.exists():
            break
        # an attempt that brought something was none in vain
        attempt = 1 if _size(target) > here else attempt + 1
        _give_up(file.url, error, attempt, kept=True)


def _continue(file: RemoteFile, target: Path, progress: Progress) -> None:
    here = _size(target)
    with _open(file.url, here) as response:
        whole = response.status != http.client.PARTIAL_CONTENT
        here = 0 if whole else here
        with target.open("wb" if whole else "ab") as part:
            while chunk := response.read(_CHUNK):
                part.write(chunk)
                here += len(chunk)
                progress(file.path, here, file.size)
                if here > file.size:
                    break  # verification refuses it


def _open(url: str, start: int) -> http.client.HTTPResponse:
    headers = {"User-Agent": "pytest-coderobust", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  the endpoint's scheme is checked
    response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310
    assert isinstance(response, http.client.HTTPResponse)
    return response


def _give_up(url: str, error: Exception, attempt: int, *, kept: bool) -> None:
    """Raises when there is no use in trying again, else waits a little."""
    gone = False
    if isinstance(error, urllib.error.HTTPError):
        error.close()  # it holds the connection
        gone = error.code in _GONE
    if not gone and attempt < ATTEMPTS:
        time.sleep(_PAUSE_SECONDS * attempt)
        return
    resumes = "; the next fetch continues where this one stopped" if kept and not gone else ""
    raise DataError(f"{url}: cannot be downloaded ({_reason(error)}){resumes}") from None


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP status {error.code}"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection was cut off"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return str(error) or type(error).__name__


def _verified(file: RemoteFile, target: Path) -> bool:
    if _size(target) != file.size:
        return False
    if file.sha256:
        return sha256(target) == file.sha256
    return not file.git_blob or git_blob(target) == file.git_blob


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
