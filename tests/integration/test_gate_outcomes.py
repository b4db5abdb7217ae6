"""Gate outcomes and exit statuses: the table that a release manager trusts."""

from __future__ import annotations

import pytest
from conftest import Project

GATES = 'perturbations = ["C1"]\ngates = ["pass@1 >= 0.9", "rd[C1] <= 0.2"]'


def test_all_gates_hold_is_0(project: Project) -> None:
    project.write_suite(GATES)
    result = project.run("toy.toml", "--model", project.record(broken=[0]))
    result.stdout.fnmatch_lines(["gate holds*pass@1*", "gate holds*rd[[]C1]*"])
    assert result.ret == 0


def test_one_gate_fails_is_1(project: Project) -> None:
    project.write_suite(GATES)
    result = project.run("toy.toml", "--model", project.record(broken=[0, 1]))
    result.stdout.fnmatch_lines(["gate holds*pass@1*", "gate fails*rd[[]C1] <= 0.2*0.333*"])
    assert result.ret == 1


@pytest.mark.parametrize(
    "selection",
    [["-k", "C1"], ["-m", "not coderobust"], ["toy.toml::Toy/1"], ["-n", "2", "-k", "C1"]],
)
def test_partial_run_is_not_judged(project: Project, selection: list[str]) -> None:
    project.write_suite(GATES)
    paths = [] if selection[0].startswith("toy.toml") else ["toy.toml"]
    result = project.run(*paths, *selection, "--model", project.record())
    result.stdout.fnmatch_lines(["gate not judged*pass@1*"])
    assert result.ret == (5 if "not coderobust" in selection else 1)


def test_run_stopped_by_x_is_not_judged(project: Project) -> None:
    project.write_suite(GATES)
    model = project.record(broken=[0])
    result = project.run("toy.toml", "-x", "--coderobust-strict", "--model", model)
    result.stdout.fnmatch_lines(["gate not judged*"])
    assert result.ret != 0


def test_run_stopped_by_maxfail_is_not_judged_even_when_nothing_else_fails(
    project: Project,
) -> None:
    project.write_suite(GATES)
    project.pytester.makeconftest(
        "def pytest_runtest_logreport(report):\n"
        "    pass\n"
        "def pytest_runtest_teardown(item):\n"
        "    if 'Toy/3' in item.nodeid: item.session.shouldstop = 'enough'\n"
    )
    result = project.run("toy.toml", "--model", project.record())
    result.stdout.fnmatch_lines(["gate not judged*"])
    assert result.ret != 0


def test_plugin_that_deselects_makes_the_run_partial(project: Project) -> None:
    project.write_suite(GATES)
    project.pytester.makeconftest("def pytest_collection_modifyitems(items): del items[3:]")
    result = project.run("toy.toml", "--model", project.record())
    result.stdout.fnmatch_lines(["gate not judged*"])
    assert result.ret == 1


def test_last_failed_makes_the_run_partial(project: Project) -> None:
    project.write_suite(GATES)
    model = project.record(broken=[0])
    run = project.pytester.runpytest_subprocess
    first = run("toy.toml", "--coderobust-strict", "--model", model)
    assert first.ret == 1
    second = run("toy.toml", "--coderobust-strict", "--lf", "--model", model)
    second.stdout.fnmatch_lines(["gate not judged*"])
    second.assert_outcomes(failed=1, deselected=11)


def test_crashed_worker_is_not_judged(project: Project) -> None:
    project.write_suite(GATES)
    project.pytester.makeconftest(
        "import os\n"
        "def pytest_runtest_teardown(item):\n"
        "    if item.nodeid.endswith('Toy/3[C1-s0]'): os._exit(9)\n"
    )
    result = project.run(
        "toy.toml", "-n", "2", "--max-worker-restart=0", "--model", project.record()
    )
    assert result.ret != 0
    assert "gate holds" not in result.stdout.str()
    result.stdout.fnmatch_lines(["gate not judged*"])


def test_item_in_error_is_not_judged(project: Project) -> None:
    project.write_suite(GATES)
    project.pytester.makeconftest(
        "import pytest\n"
        "@pytest.fixture(autouse=True)\n"
        "def nothing(): pass\n"
        "def pytest_runtest_setup(item):\n"
        "    if item.nodeid.endswith('Toy/3[C1-s0]'): raise RuntimeError('no luck')\n"
    )
    result = project.run("toy.toml", "--model", project.record())
    result.stdout.fnmatch_lines(["gate not judged*1 of 12 items*", "*error)"])
    assert result.ret == 1


def test_gate_over_nothing_measured_is_not_judged(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]\ngates = ["rd[C1] <= 0.2"]')
    answers = {(f"Toy/{i}", "clean", 0): project.canonical(i) for i in range(6)}
    result = project.run("toy.toml", "--model", project.write_replay(answers))
    result.stdout.fnmatch_lines(["gate not judged*rd[[]C1]*nothing was measured*"])
    assert result.ret == 1


def test_undefined_rd_is_not_judged(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]\ngates = ["rd[C1] <= 0.2"]')
    result = project.run("toy.toml", "--model", project.record(unsolved=range(6)))
    result.stdout.fnmatch_lines(["gate not judged*undefined*"])
    assert result.ret == 1


def test_without_gates_broken_prompts_do_not_fail_the_run(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]')
    result = project.run("toy.toml", "--model", project.record(broken=range(6)))
    assert "6 broken" in result.stdout.str()
    assert result.ret == 0


def test_status_that_pytest_set_is_never_overwritten(project: Project) -> None:
    project.write_suite(GATES)
    result = project.run("toy.toml", "-k", "nothing_of_this_name", "--model", project.record())
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_perturb_option_leaves_gates_of_other_conditions_not_judged(project: Project) -> None:
    project.write_suite(GATES)
    model = project.record(cells=["C2"])
    result = project.run("toy.toml", "--perturb", "C2", "--model", model)
    result.stdout.fnmatch_lines(["gate holds*pass@1*", "gate not judged*rd[[]C1]*not planned*"])
    assert result.ret == 1


@pytest.mark.parametrize("processes", [[], ["-n", "2"]])
def test_gates_off_are_printed_and_do_not_touch_the_status(
    project: Project, processes: list[str]
) -> None:
    project.write_suite(GATES)
    model = project.record(broken=range(6))
    result = project.run("toy.toml", "--coderobust-no-gates", "--model", model, *processes)
    result.stdout.fnmatch_lines(["gate off*rd[[]C1]*"])
    assert result.ret == 0
