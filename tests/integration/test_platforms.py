"""Systems other than Linux: what needs no sandbox works there, and the rest says so in a sentence.

They are imitated: modules that only POSIX systems have cannot be imported, and `sys.platform` is
another one's once the libraries are loaded.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ELSEWHERE = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in ("fcntl", "resource", "pwd", "grp", "termios"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules.pop(name, None)
platform, *words = sys.argv[1:]
from pytest_coderobust.cli import main
import pytest_coderobust.sandbox, pytest_coderobust.session.session, torch, platformdirs, filelock
sys.platform = platform
sys.exit(main(words))
"""
SUITE = '[suite]\ntasks = "tasks.jsonl"\nperturbations = ["C1"]\n'
TASK = {
    "task_id": "T/0",
    "prompt": 'def double(x):\n    """Return the number twice as large as the given one."""\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n",
}


def run(folder: Path, platform: str, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "suite.toml").write_text(SUITE)
    (folder / "tasks.jsonl").write_text(json.dumps(TASK) + "\n")
    row = {"task_id": "T/0", "completion": TASK["canonical_solution"]}
    (folder / "samples.jsonl").write_text(json.dumps(row) + "\n")
    return subprocess.run(
        [sys.executable, "-c", ELSEWHERE, platform, *words],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_prompts_are_perturbed_anywhere(tmp_path: Path) -> None:
    words = ["perturb", "--suite=suite.toml", "--perturb=C1", "--seeds=1", "--out=variants.jsonl"]
    ran = run(tmp_path, "win32", *words)
    assert (ran.returncode, ran.stdout) == (0, "1 variants written to variants.jsonl\n"), ran.stderr


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_nothing_that_a_model_wrote_is_run_there(platform: str, tmp_path: Path) -> None:
    ran = run(tmp_path, platform, "check", "samples.jsonl", "--suite=suite.toml")
    told = ran.stderr.strip().splitlines()[-1]
    assert told.startswith(
        f"coderobust: the sandbox isolates by means of Linux, and this system is {platform!r}: "
    )
    assert told.endswith("(on Windows in WSL 2)")
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
