"""Runs the bundled suite on a checkpoint through the plugin, as a user would."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pytest_coderobust.tiny.suite import TASKS_FILE, UNSEEN

PERTURBATIONS = ("C1", "C2", "C3")


_SUITE = """\
[suite]
tasks = {tasks}
perturbations = {perturbations}

[sampling]
max_new_tokens = 128
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one greedy run.

    Attributes:
        passed: share of tasks solved, for the whole suite and for each part of it.
        counts: number of tasks in each part.
        drops: RD under each perturbation.
    """

    passed: Mapping[str, float]
    counts: Mapping[str, int]
    drops: Mapping[str, float]

    @property
    def overall(self) -> float:
        return self.passed["all"]


def measure(checkpoint: Path) -> Figures:
    """Runs the quickstart suite on a checkpoint in a process of its own.

    Raises:
        RuntimeError: the run ended without a report; the message holds its output.
    """
    with TemporaryDirectory() as folder:
        suite = Path(folder, "quickstart.toml")
        report = Path(folder, "report.json")
        suite.write_text(
            _SUITE.format(tasks=json.dumps(str(TASKS_FILE)), perturbations=list(PERTURBATIONS)),
            encoding="utf-8",
        )
        command = [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"),
            *(str(suite), "--rootdir", folder, "--coderobust-model", str(checkpoint.resolve())),
            *("--coderobust-json", str(report), "--coderobust-ledger", str(Path(folder, "ledger"))),
        ]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)  # noqa: S603
        if not report.is_file():
            raise RuntimeError(f"the suite did not run: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return figures(json.loads(report.read_text(encoding="utf-8")))


def figures(document: Mapping[str, Any]) -> Figures:
    """Reads the figures from a report of the quickstart suite."""
    solved = {
        item["task"]: item["status"] == "solved"
        for item in document["items"]
        if item["condition"] == "clean"
    }
    parts: dict[str, list[bool]] = {}
    for task, tags in suite_tags().items():
        for part in _parts(tags):
            parts.setdefault(part, []).append(solved[task])
    return Figures(
        {part: sum(found) / len(found) for part, found in parts.items()},
        {part: len(found) for part, found in parts.items()},
        {name: document["metrics"][name]["rd"] for name in PERTURBATIONS},
    )


def suite_tags() -> dict[str, list[str]]:
    """Maps the id of each task to its tags, as the suite's file has them."""
    lines = TASKS_FILE.read_text(encoding="utf-8").splitlines()
    return {row["task_id"]: row["tags"] for row in map(json.loads, lines)}


def _parts(tags: list[str]) -> list[str]:
    library = any(tag.startswith("api:") for tag in tags)
    phrasing = "unseen phrasing" if UNSEEN in tags else "seen phrasing"
    return ["all", phrasing, *(["library calls"] if library else [])]
