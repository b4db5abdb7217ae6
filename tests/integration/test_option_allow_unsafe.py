"""`--coderobust-allow-unsafe`, and a suite's `minimum_tier`: which isolation is enough."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from conftest import Project

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import TIERS
from pytest_coderobust.sandbox import demand_tier
from pytest_coderobust.sandbox.cage.plan import LADDER

RESTRICTED = Path(__file__).parents[1] / "support" / "restricted.py"
NO_NAMESPACES = "unshare,mount,pivot_root"
NOTHING = f"{NO_NAMESPACES},seccomp,landlock_create_ruleset"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the tiers are Linux's")


def run(project: Project, refused: str, *arguments: str) -> pytest.RunResult:
    """A pytest run on a kernel that refuses these system calls."""
    return project.pytester.run(
        sys.executable, RESTRICTED, refused, "pytest", "-p", "no:cacheprovider",
        "--coderobust-sandbox-workers=1", "toy.toml", "--model", "oracle", *arguments,
    )  # fmt: skip


def no_bwrap(monkeypatch: pytest.MonkeyPatch) -> None:
    """bubblewrap may be allowed what the run itself is not."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))


def test_the_two_lists_of_tiers_are_one() -> None:
    assert TIERS == LADDER


@pytest.mark.parametrize("tier", LADDER)
def test_a_tier_is_enough_for_itself_and_weaker_demands(tier: str) -> None:
    enough = []
    for minimum in ("", *LADDER):
        try:
            demand_tier(tier, minimum, "x")
        except SandboxError:
            continue
        enough.append(minimum)
    assert enough == ["", *LADDER[LADDER.index(tier) :]]


def test_limits_alone_must_be_allowed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    no_bwrap(monkeypatch)
    project.write_suite()
    refused = run(project, NOTHING)
    refused.stderr.fnmatch_lines(
        ["ERROR: no isolation that is allowed works here:*--coderobust-allow-unsafe*"]
    )
    refused.stderr.no_fnmatch_line("*Traceback*")
    assert refused.ret == 4
    allowed = run(project, NOTHING, "--coderobust-allow-unsafe")
    allowed.stdout.fnmatch_lines(["coderobust: sandbox rlimits", "plan *, sandbox rlimits"])
    assert allowed.ret == 0
    assert run(project, NOTHING, "--allow-unsafe").ret == 0  # the short form


def test_a_suite_demands_its_isolation(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    no_bwrap(monkeypatch)
    project.write_suite(sections='[sandbox]\nminimum_tier = "ns"\n')
    refused = run(project, NO_NAMESPACES)
    refused.stderr.fnmatch_lines(
        [
            "*toy.toml: [[]sandbox] minimum_tier = 'ns': the isolation that works here is 'no-ns', which is weaker*"
        ]
    )
    refused.stderr.no_fnmatch_line("*Traceback*")
    assert refused.ret == 4
    project.write_suite(sections='[sandbox]\nminimum_tier = "no-ns"\n')
    assert run(project, NO_NAMESPACES).ret == 0


def test_an_unknown_tier_is_refused_with_the_nearest_one(project: Project) -> None:
    project.write_suite(sections='[sandbox]\nminimum_tier = "nons"\n')
    result = project.run("toy.toml", "--model", "oracle")
    result.stdout.fnmatch_lines(
        ["*minimum_tier = 'nons': not a valid choice; did you mean 'no-ns'*"]
    )
    assert result.ret == 2
