"""Runners without our protections, to show that each attack can succeed at all.

Each runs the program and its tests in one interpreter, the way quick harnesses do, in a process
of its own with a time limit. They differ in what they take for a pass.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS = 20

# The program, its tests and the verdict share one namespace; normal end is a pass.
EXIT_STATUS = """
{solution}
{tests}
check({entry_point})
"""

# The shape of the reference evaluator: a list in a caller's frame takes the verdict.
RESULT_LIST = """
import sys
def unsafe_execute(result):
    try:
        exec(PROGRAM, {{}})
        result.append("passed")
    except BaseException as error:
        result.append("failed: " + repr(error))
PROGRAM = {program!r}
result = []
unsafe_execute(result)
sys.exit(0 if result[0] == "passed" else 1)
"""

# A harness that looks for a word in the output.
PRINTED = """
{solution}
{tests}
check({entry_point})
print("all tests passed")
"""


def naive_passes(kind: str, solution: str, tests: str, entry_point: str) -> bool:
    """Whether a naive runner of this kind ("exit", "list", "printed") reports a pass."""
    values = {"solution": solution, "tests": tests, "entry_point": entry_point}
    if kind == "list":
        program = EXIT_STATUS.format(**values)
        text = RESULT_LIST.format(program=program)
    else:
        text = {"exit": EXIT_STATUS, "printed": PRINTED}[kind].format(**values)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "runner.py"
        script.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-I", str(script)], cwd=folder, env={}, capture_output=True,
            timeout=SECONDS, check=False,
        )  # fmt: skip
    if kind == "printed":
        return b"passed" in done.stdout
    return done.returncode == 0
