"""Tiers: what is asked for is what is in force, and nothing outlives its owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_coderobust import records
from pytest_coderobust.errors import SandboxError, UnknownName
from pytest_coderobust.records import Level, Limits, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.cage.plan import LADDER
from pytest_coderobust.sandbox.check import Check, Sandbox

LIMITS = Limits(cpu_seconds=1, wall_seconds=3)


def run_check(sandbox: Sandbox, solution: str, source: str = "assert f(2) == 4\n") -> Verdict:
    check = Check(solution, "f", records.Tests(source, "asserts"), LIMITS)
    return sandbox.submit(check).result(timeout=60)


@pytest.mark.parametrize("tier", LADDER)
def test_every_tier_judges_and_names_itself(tier: str) -> None:
    try:
        opened = open_sandbox(1, tiers=[tier], allow_unsafe=tier == "rlimits")
    except SandboxError as error:
        pytest.skip(str(error))
    with opened:
        assert opened.tier == tier
        assert run_check(opened, "def f(x):\n    return x * x\n").tier == tier
        assert not run_check(opened, "def f(x):\n    return x\n").full
        # A module that nobody loaded beforehand: the library is there to read.
        late = "import xml.dom.minidom, sqlite3, decimal\ndef f(x):\n    return x * x\n"
        verdict = run_check(opened, late)
        assert verdict.full, verdict


def test_an_unknown_tier_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnknownName, match="no-ns"):
        open_sandbox(1, tiers=["nons"])


def test_limits_alone_must_be_allowed() -> None:
    with pytest.raises(SandboxError, match="allow_unsafe"):
        open_sandbox(1, tiers=["rlimits"])


def test_no_allowed_tier_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match=r"no isolation .* bwrap is not installed"):
        open_sandbox(1, tiers=["bwrap"])


def test_a_solution_that_kills_its_fork_server_costs_itself_only() -> None:
    with open_sandbox(1, tiers=["rlimits"], allow_unsafe=True) as unsafe:
        verdict = run_check(unsafe, "import os\ndef f(x):\n    os.kill(os.getppid(), 9)\n")
        assert (verdict.level, verdict.failure) == (Level.LOAD, "died")
        assert run_check(unsafe, "def f(x):\n    return x * x\n").full


def test_the_interpreter_home_is_all_there_is_to_read() -> None:
    with open_sandbox(1) as opened:
        if opened.tier not in ("ns", "bwrap", "no-ns"):
            pytest.skip(f"{opened.tier} does not hide files")
        here = str(Path(__file__).resolve())
        solution = f"def f(x):\n    return open({here!r}).read()\n"
        verdict = run_check(opened, solution)
        assert verdict.failure == "exception"
        assert "Error" in verdict.detail


def test_as_many_processes_as_checks() -> None:
    with open_sandbox(1) as opened:
        run_check(opened, "def f(x):\n    return x * x\n")
        started = opened.forks
        for _ in range(6):
            run_check(opened, "def f(x):\n    return x * x\n")
            run_check(opened, "def f(x):\n    return 0\n")
        assert opened.forks - started == 12  # the same solution again is judged again


OWNER = """
import sys, time
from pytest_coderobust import records
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check
opened = open_sandbox(2)
tests, patient = records.Tests("assert f()", "asserts"), records.Limits(wall_seconds=600)
for _ in range(4):
    opened.submit(Check(sys.argv[1], "f", tests, patient))
time.sleep(600)
"""


NAME = "sleeper-7301"
# Its name, which can be seen from outside, shows that it runs.
SLEEPER = f"import ctypes, time\nctypes.CDLL(None).prctl(15, b'{NAME}')\ntime.sleep(600)\n"
PATIENCE = 60.0
"""Seconds that only a failure waits for."""


def test_nothing_survives_a_killed_owner() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    owner = subprocess.Popen([sys.executable, "-c", OWNER, SLEEPER], env=environment)
    try:
        assert wait_until(
            lambda: list(map(read_name, find_descendants(owner.pid))).count(NAME) == 2
        )
        family = find_descendants(owner.pid)
    finally:
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    assert len(family) >= 6
    assert wait_until(lambda: not any(map(is_alive, family)))


def wait_until(holds: Callable[[], bool]) -> bool:
    """Looks again and again until something holds; False when it never does."""
    deadline = time.monotonic() + PATIENCE
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return held


def find_descendants(pid: int) -> set[int]:
    """Finds every process below one."""
    found = set[int]()
    with suppress(FileNotFoundError, ProcessLookupError):  # it may end meanwhile
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                found |= {int(child)} | find_descendants(int(child))
    return found


def read_name(pid: int) -> str:
    """Reads the name of a process; "" when it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"
