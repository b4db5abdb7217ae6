"""The tutorial as steps: files to write and commands to run, each with the output that it shows."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PAGES = (
    "first-suite",
    "reading-reports",
    "a-gate-in-ci",
    "shrink-a-failure",
    "repair-it",
)
_BLOCK = re.compile(
    r"(?P<slow><!-- minutes -->\n)?```(?P<language>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n"
    r"(?P<text>.*?)^```",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class TutorialFile:
    """A file that the reader writes."""

    page: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class TutorialCommand:
    """A command that the reader types, and what it prints, with "..." for anything.

    Attributes:
        slow: it takes minutes.
        status: the exit status that the page shows behind it; 0 where it shows none.
    """

    page: str
    words: str
    output: str
    slow: bool
    status: int


def read_tutorial() -> Iterator[TutorialFile | TutorialCommand]:
    for page in PAGES:
        text = (DOCS / "tutorial" / f"{page}.md").read_text(encoding="utf-8")
        for block in _BLOCK.finditer(text):
            if block["title"]:
                yield TutorialFile(page, block["title"], block["text"])
            elif block["language"] == "console":
                yield from _read_commands(page, block["text"], slow=bool(block["slow"]))


def _read_commands(page: str, text: str, *, slow: bool) -> Iterator[TutorialCommand]:
    typed = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not typed[0], f"{page}: output without a command"
    pairs = [part.partition("\n") for part in typed[1:]]
    for place, (words, _, output) in enumerate(pairs):
        if words == "echo $?":
            continue
        after = pairs[place + 1] if place + 1 < len(pairs) else ("", "", "")
        status = int(after[2]) if after[0] == "echo $?" else 0
        yield TutorialCommand(page, words, output, slow, status)


class Reader:
    """Someone who follows the tutorial in a folder, with the programs of an environment.

    Args:
        programs: the folder of `pytest` and `coderobust`.
    """

    def __init__(self, folder: Path, programs: Path, **environment: str) -> None:
        self._folder = folder
        (folder / "pytest.ini").write_text("[pytest]\n")  # the project's own is not the reader's
        inherited = {key: value for key, value in os.environ.items() if key not in _UNUSUAL}
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self._environment = inherited | {"PATH": path, "COLUMNS": "80"} | environment

    def follow(self, step: TutorialFile | TutorialCommand) -> None:
        """Does one step; fails where the page and the machine differ."""
        if isinstance(step, TutorialFile):
            (self._folder / step.name).write_text(step.text)
            return
        ran = subprocess.run(
            ["bash", "-c", step.words],
            cwd=self._folder, env=self._environment, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        where = f"{step.page}: $ {step.words}"
        assert ran.returncode == step.status, f"{where}\n{ran.stdout[-3000:]}"
        if not doctest.OutputChecker().check_output(step.output, ran.stdout, doctest.ELLIPSIS):
            raise AssertionError(f"{where}\nthe page:\n{step.output}\nhere:\n{ran.stdout}")


_UNUSUAL = {"CI", "GITHUB_STEP_SUMMARY", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "FORCE_COLOR"}
"""Variables that change what a terminal shows."""
