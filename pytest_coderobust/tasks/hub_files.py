"""Files of a data set repository on the hub, listed and downloaded by `huggingface_hub`.

The library continues after a broken connection, shows progress, and obeys `HF_ENDPOINT` and
`HF_HUB_OFFLINE`. Two things are left to us. It compares a download's size only, so the checksum is
compared here; and before 2.0 it gives up at the first break but keeps what came, so it is asked
again here. Arguments are those that both 0.30 and 2.x take.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from huggingface_hub import HfApi, constants, hf_hub_download
from huggingface_hub.errors import OfflineModeIsEnabled
from huggingface_hub.hf_api import RepoFile

from pytest_coderobust.errors import DataError, UsageError
from pytest_coderobust.tasks.checksum import git_blob, sha256

_AGENT = "pytest-coderobust"
_ANEW = (False, False, True)
"""The attempts to download a file; only the last starts anew whatever is here already."""
_STATUS = {
    401: "HTTP status 401: the repository does not exist there, or it needs a token in HF_TOKEN",
    403: "HTTP status 403: the account of HF_TOKEN may not read it",
    404: "HTTP status 404: the repository does not exist there",
}


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file as the hub announces it.

    Attributes:
        path: inside the repository.
        sha256: of its bytes, or "" where the hub only knows `git_blob`.
        git_blob: git's name of its content, or of the pointer to a large file.
    """

    path: str
    sha256: str
    git_blob: str


@dataclass(frozen=True, slots=True)
class HubRepository:
    """A data set repository: "ORG/NAME" on the hub at `endpoint`."""

    name: str
    endpoint: str

    def __str__(self) -> str:
        return f"{self.endpoint}/datasets/{self.name}"

    def files(self) -> list[HubFile]:
        """The files of the main branch with their checksums, by path.

        Raises:
            DataError: the hub does not answer, or not with a list of files.
        """
        api = HfApi(endpoint=self.endpoint, library_name=_AGENT)
        with _data_errors(str(self)):
            tree = api.list_repo_tree(self.name, recursive=True, repo_type="dataset")
            entries = [entry for entry in tree if isinstance(entry, RepoFile)]
        files = [
            HubFile(entry.path, entry.lfs.sha256 if entry.lfs else "", entry.blob_id)
            for entry in entries
        ]
        return sorted(files, key=lambda file: file.path)

    def download(self, file: HubFile, folder: Path) -> Path:
        """Downloads a file below `folder`; one that is there already is only verified.

        Raises:
            DataError: the file cannot be downloaded, or is not what the hub announced.
        """
        failure = DataError(f"{self}, {file.path}: the download does not match the hub's checksum")
        for anew in _ANEW:
            try:
                path = self._attempt(file, folder, anew=anew)
            except DataError as error:
                failure = error
                continue
            if _is_announced(file, path):
                return path
        raise failure

    def _attempt(self, file: HubFile, folder: Path, *, anew: bool) -> Path:
        with _data_errors(f"{self}, {file.path}"):
            path = hf_hub_download(
                self.name,
                file.path,
                repo_type="dataset",
                local_dir=folder,
                endpoint=self.endpoint,
                force_download=anew,
                library_name=_AGENT,
            )
        return Path(path)


DEFAULT_ENDPOINT = "https://huggingface.co"


def open_repository(name: str, endpoint: str | None = None) -> HubRepository:
    """Checks the hub's address and names a data set repository there.

    Args:
        endpoint: the hub's address; by default `HF_ENDPOINT`, else the public hub.

    Raises:
        UsageError: the address is not a web address.
    """
    # The library takes an empty HF_ENDPOINT, which CI systems set easily, for an address.
    address = (endpoint or constants.ENDPOINT or DEFAULT_ENDPOINT).rstrip("/")
    if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).netloc:
        raise UsageError(f"the hub's address {address!r} must start with http:// or https://")
    return HubRepository(name, address)


def _is_announced(file: HubFile, path: Path) -> bool:
    return sha256(path) == file.sha256 if file.sha256 else git_blob(path) == file.git_blob


@contextmanager
def _data_errors(where: str) -> Generator[None]:
    """Turns whatever the library raises into a DataError of one sentence."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a different HTTP library in each major version
        raise DataError(f"{where}: cannot be downloaded ({_reason(error)})") from None


def _reason(error: BaseException) -> str:
    """The reason of the innermost error: the library wraps it in general advice."""
    while True:
        if isinstance(error, OfflineModeIsEnabled):
            return "HF_HUB_OFFLINE is set; unset it to fetch"
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status is not None:
            return _STATUS.get(status, f"HTTP status {status}")
        inner = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if inner is None:
            break
        error = inner
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
