"""Linters as programs: what they find, what they never run, and what breaks them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.linters.batches import LintLimits, lint_all
from pytest_coderobust.linters.linter import Linter
from pytest_coderobust.linters.pylint import Pylint
from pytest_coderobust.linters.ruff import Ruff
from pytest_coderobust.records.lint import LintedSource, LintRemark

UNUSED = '"""Doc."""\n\n\ndef f(a):\n    """Doc."""\n    b = 1\n    return a\n'
BROKEN = "def f(:\n"
SILENT = UNUSED.replace("b = 1", "b = 1  # pylint: disable=all # noqa") + "# pylint: skip-file\n"


def lint(linter: Linter, sources: Mapping[str, str]) -> dict[str, LintedSource]:
    found: dict[str, LintedSource] = {}
    for batch in lint_all(linter, sources):
        found |= batch
    return found


def test_pylint_names_line_and_code_and_syntax_errors_stand_alone() -> None:
    found = lint(Pylint(), {"s1": UNUSED, "s2": BROKEN, "s3": '"""Doc."""\n'})
    assert LintRemark(6, "W0612", "unused-variable") in found["s1"].remarks
    assert found["s2"] == LintedSource("syntax")
    assert found["s3"] == LintedSource()


def test_a_solution_cannot_silence_a_linter() -> None:
    found = lint(Pylint(), {"s1": SILENT})["s1"]
    assert (6, "W0612") in [(each.line, each.code) for each in found.remarks]
    found = lint(Ruff(), {"s1": SILENT})["s1"]
    assert (6, "F841") in [(each.line, each.code) for each in found.remarks]


def test_ruff_finds_its_own_codes() -> None:
    found = lint(Ruff(), {"s1": UNUSED, "s2": BROKEN})
    assert (6, "F841") in [(each.line, each.code) for each in found["s1"].remarks]
    assert found["s2"] == LintedSource("syntax")


@pytest.mark.parametrize("linter", [Pylint(), Ruff()], ids=lambda linter: linter.name)
def test_no_source_is_run_or_stands_for_a_module(
    linter: Linter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = tmp_path / "ran"
    writes = f"from pathlib import Path\nPath({str(sign)!r}).write_text('ran')\n"
    monkeypatch.chdir(tmp_path)
    # Neither a solution, nor files of the user's beside which pytest runs, nor one of a name that
    # the program itself imports.
    for name in ("pylint.py", "ruff.py", "sitecustomize.py", "json.py"):
        (tmp_path / name).write_text(writes)
    hook = "import os, pathlib; pathlib.Path(os.environ['HOME'])"
    (tmp_path / ".pylintrc").write_text(f"[MAIN]\ninit-hook={hook}\ndisable=all\n")
    (tmp_path / "ruff.toml").write_text("[lint]\nselect = []\n")
    sources = {"json": writes, "s1": f"import json\nimport s2\n{UNUSED}", "s2": writes}
    found = lint(linter, sources)
    assert not sign.exists()
    assert found["s1"].remarks


def test_hostile_sources_are_judged_or_given_up() -> None:
    sources = {
        "nul": "a = 1\0\n",
        "surrogate": "a = '\ud800'\n",
        "deep": "a = " + "(" * 5000 + ")" * 5000 + "\n",
        "chain": "a = " + "+".join("1" * 3000) + "\n",
        "fine": UNUSED,
    }
    found = lint(Pylint(), sources)
    assert set(found) == set(sources)
    assert found["nul"].trouble
    assert found["surrogate"].trouble
    assert found["deep"].trouble
    assert found["fine"].remarks


PROGRAM = """
import json, os, sys, pathlib
found = {}
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    text = path.read_text()
    if "DIES" in text:
        os.abort()
    if "LOOPS" in text:
        while True:
            pass
    if "FILLS" in text:
        bytearray(1 << 40)
    found[path.stem] = len(text)
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Counting:
    """A program that says how long a file is, and breaks when one tells it to."""

    program: str = PROGRAM
    name: str = "counting"
    options: Sequence[str] = ()

    def find_version(self) -> str:
        return "1"

    def quiet(self, source: str) -> str:
        return source

    def make_command(self, folder: str) -> list[str]:
        return [sys.executable, "-c", self.program, folder]

    def read(self, output: str) -> Mapping[str, LintedSource]:
        lengths = json.loads(output)
        return {name: LintedSource("", (LintRemark(n, "X"),)) for name, n in lengths.items()}


@pytest.mark.parametrize("word", ["DIES", "LOOPS", "FILLS"])
def test_what_breaks_the_program_is_given_up_alone(word: str) -> None:
    limits = LintLimits(start_seconds=1, file_seconds=0.01, memory_bytes=1 << 32)
    sources = {f"s{place}": "x" * place for place in range(7)} | {"bad": word}
    (found,) = lint_all(Counting(), sources, limits)
    assert found.pop("bad") == LintedSource("unjudged")
    assert found == {f"s{place}": LintedSource("", (LintRemark(place, "X"),)) for place in range(7)}


def test_a_program_that_never_works_is_refused() -> None:
    broken = Counting("raise SystemExit(3)")
    with pytest.raises(SandboxError, match="counting does not work here"):
        list(lint_all(broken, {f"s{place}": "x" for place in range(200)}))
    with pytest.raises(SandboxError, match="counting does not work here"):
        list(lint_all(broken, {"s1": "x"}))
