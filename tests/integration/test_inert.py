"""Installed and unused, the plugin changes nothing and imports nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import TASKS, Project

HEAVY = ("torch", "transformers", "hypothesis", "rich", "scipy", "nltk", "lemminflect", "datasets")

SHOW_IMPORTS = """
import sys

def pytest_unconfigure(config):
    heavy = [name for name in {heavy!r} if name in sys.modules]
    print("HEAVY", heavy, file=sys.__stderr__)
"""

# pytest's own Hypothesis plugin imports nothing until a test does; xdist, rich and others may.
ALONE = ("-p", "no:hypothesispytest", "-p", "no:anyio")


def heavy_imports(result: pytest.RunResult) -> str:
    lines = [line for line in result.errlines if line.startswith("HEAVY")]
    assert len(lines) == 1, result.errlines
    return lines[0]


def test_help_imports_nothing_heavy(project: Project) -> None:
    project.pytester.makeconftest(SHOW_IMPORTS.format(heavy=HEAVY))
    result = project.run_cold("--help", *ALONE)
    assert "--coderobust-model" in result.stdout.str()
    assert heavy_imports(result) == "HEAVY []"


def test_collecting_a_large_suite_imports_nothing_heavy(project: Project) -> None:
    project.write_tasks([{**TASKS[i % 6], "task_id": f"HumanEval/{i}"} for i in range(164)])
    project.write_suite('perturbations = ["C1", "C2", "C3"]\nseeds = 9')
    project.pytester.makeconftest(SHOW_IMPORTS.format(heavy=HEAVY))
    for model in ("tiny", "codellama-7b", "oracle"):
        result = project.run_cold("toy.toml", "--collect-only", "-q", "--model", model, *ALONE)
        assert f"{164 * (1 + 3 * 9)} tests collected" in result.stdout.str()
        assert heavy_imports(result) == "HEAVY []"


def test_loading_the_plugin_imports_none_of_our_layers() -> None:
    program = (
        "import sys, pytest_coderobust.plugin;"
        "print(sorted(m for m in sys.modules if m.startswith(('pytest_coderobust', 'coderobust'))))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert eval(found.stdout) == [
        "pytest_coderobust", "pytest_coderobust.errors", "pytest_coderobust.extensions",
        "pytest_coderobust.plugin",
        "pytest_coderobust.plugin.choices", "pytest_coderobust.plugin.fixtures",
        "pytest_coderobust.plugin.options", "pytest_coderobust.plugin.stash",
        "pytest_coderobust.reporting", "pytest_coderobust.reporting.formats",
        "pytest_coderobust.session", "pytest_coderobust.session.choices",
        "pytest_coderobust.session.model_rows", "pytest_coderobust.session.option",
        "pytest_coderobust.session.options", "pytest_coderobust.session.values",
    ]  # fmt: skip


@pytest.mark.parametrize("processes", [[], ["-n", "2"]])
def test_unrelated_suite_stays_as_it_is(project: Project, processes: list[str]) -> None:
    """Its conftest owns every alias; broken and foreign TOMLs lie under its testpaths."""
    project.pytester.makepyprojecttoml('[tool.pytest.ini_options]\ntestpaths = ["."]')
    (project.path / "broken.toml").write_text("[suite")
    (project.path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    (project.path / "other.toml").write_text("[suite]\nname = 'somebody elses'\n")
    project.pytester.makeconftest(
        "OWN = ('--model', '--edit', '--perturb', '--hunt', '--budget', '--baseline',\n"
        "       '--update-baseline', '--noise-floor', '--bug-reports')\n"
        "def pytest_addoption(parser):\n"
        "    for name in OWN: parser.addoption(name, default='theirs')\n"
    )
    project.pytester.makepyfile(
        test_theirs="""
        import pytest

        @pytest.fixture
        def variant(): return 1

        @pytest.fixture
        def solve(variant): return variant + 1

        def test_fixture_of_a_common_name(solve): assert solve == 2

        def test_option(pytestconfig): assert pytestconfig.getoption("--model") == "car"

        def test_fails(): assert False
        """
    )
    before = {path.name for path in project.path.iterdir()}
    result = project.pytester.runpytest_subprocess(
        "--strict-markers", "--model", "car", "--edit", "x", *processes
    )
    result.assert_outcomes(passed=2, failed=1)
    assert "robustness" not in result.stdout.str()
    created = {path.name for path in project.path.iterdir()} - before
    assert not any("coderobust" in name for name in created)
