"""Suites are ordinary tests: ids, selection, collection, and what is left alone."""

from __future__ import annotations

import pytest
from conftest import Project


def test_ids_name_task_perturbation_and_seed(project: Project) -> None:
    suite = project.write_suite('perturbations = ["C1", "C2"]\nseeds = 2')
    result = project.run("--collect-only", "-q", suite.name, "--model", "oracle")
    lines = result.outlines[: 6 * 5]
    assert lines[0] == "toy.toml::Toy/0[clean]"
    assert lines[6] == "toy.toml::Toy/0[C1-s0]"
    assert lines[-1] == "toy.toml::Toy/5[C2-s1]"
    assert result.ret == 0


def test_oracle_solves_every_task(project: Project) -> None:
    suite = project.write_suite()
    result = project.run(suite.name, "--model", "oracle")
    result.stdout.fnmatch_lines(["*6 solved in*"])
    assert result.ret == 0


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["-k", "C1"], 6), (["-k", "character"], 12), (["-k", "clean"], 6),
        (["-m", "coderobust"], 18), (["-m", "not coderobust"], 0),
        (["-k", "C1 or C2"], 12),
    ],
)  # fmt: skip
def test_selection_by_keyword_and_marker(
    project: Project, arguments: list[str], count: int
) -> None:
    project.write_suite('perturbations = ["C1", "C2"]')
    result = project.run("--collect-only", "-q", "toy.toml", "--model", "oracle", *arguments)
    assert sum("::" in line for line in result.outlines) == count


def test_one_node_id_runs_alone_and_its_clean_prompt_is_measured_with_it(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]')
    model = project.record(broken=[2])
    result = project.run(
        "toy.toml::Toy/2[C1-s0]", "--model", model, "--coderobust-json", "out.json"
    )
    assert "1 broken" in result.stdout.str()
    (item,) = project.json()["items"]
    assert (item["task"], item["status"]) == ("Toy/2", "broken")
    assert project.json()["complete"] is False


def test_task_id_selects_all_its_cells(project: Project) -> None:
    project.write_suite('perturbations = ["C1", "C2"]')
    result = project.run("toy.toml::Toy/3", "--model", "oracle", "--collect-only", "-q")
    assert sum("::" in line for line in result.outlines) == 3


def test_statuses_show_in_pytests_own_output(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]')
    model = project.record(broken=[0, 1], unsolved=[2])
    result = project.run("toy.toml", "-v", "--model", model)
    result.stdout.fnmatch_lines(
        ["*Toy/0[[]clean] SOLVED*", "*Toy/2[[]clean] UNSOLVED*", "*Toy/0[[]C1-s0] BROKEN*",
         "*Toy/2[[]C1-s0] UNSOLVED*", "*Toy/5[[]C1-s0] ROBUST*"]
    )  # fmt: skip
    result.stdout.fnmatch_lines(["*5 solved*"])
    assert result.ret == 0


def test_suite_met_in_a_walk_without_a_model_is_left_alone(project: Project) -> None:
    project.write_suite()
    project.pytester.makepyfile(test_plain="def test_one(): pass")
    result = project.run()
    result.assert_outcomes(passed=1)


def test_suite_named_without_a_model_says_how_to_name_one(project: Project) -> None:
    project.write_suite()
    result = project.run("toy.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*toy.toml is a coderobust suite*--model tiny*"])


def test_model_without_a_path_adds_the_projects_suites(project: Project) -> None:
    (project.path / "gates").mkdir()
    (project.path / "gates" / "release.toml").write_text('[suite]\ntasks = "../tasks.jsonl"\n')
    project.pytester.makepyprojecttoml(
        '[tool.coderobust]\nsuites = ["gates/release.toml"]\n'
        '[tool.pytest.ini_options]\ntestpaths = ["unit"]'
    )
    (project.path / "unit").mkdir()
    (project.path / "unit" / "test_plain.py").write_text("def test_one(): pass")
    result = project.run("--model", "oracle")
    assert "6 solved" in result.stdout.str()
    assert "1 passed" in result.stdout.str()


def test_walk_with_a_model_collects_suites_once_and_no_other_toml(project: Project) -> None:
    project.write_suite()
    (project.path / "broken.toml").write_text("[suite")
    (project.path / "other.toml").write_text("[tool.x]\na = 1")
    project.pytester.makepyprojecttoml('[tool.coderobust]\nsuites = ["toy.toml"]')
    result = project.run("--model", "oracle")
    result.stdout.fnmatch_lines(["*6 solved in*"])
    assert result.ret == 0


def test_no_eligible_site_is_skipped_never_robust(project: Project) -> None:
    bare = dict(project.tasks[0], prompt='def double(value):\n    """"""\n')
    project.write_tasks([bare, *project.tasks[1:]])
    project.write_suite('perturbations = ["C1"]')
    result = project.run("toy.toml", "--model", "oracle", "-rs", "--coderobust-json", "out.json")
    result.stdout.fnmatch_lines(["*skipped: no eligible site*"])
    metrics = project.json()["metrics"]
    assert metrics["C1"]["n"] == 5
    assert metrics["C1"]["skipped"] == 1
    assert metrics["clean"]["n"] == 6


def test_variant_that_was_not_recorded_is_in_no_metric(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]')
    answers = {(f"Toy/{i}", "clean", 0): project.canonical(i) for i in range(6)}
    answers["Toy/0", "C1", 0] = project.canonical(0)
    model = project.write_replay(answers)
    result = project.run("toy.toml", "--model", model, "-rs", "--coderobust-json", "out.json")
    result.stdout.fnmatch_lines(["*skipped: not recorded*"])
    metrics = project.json()["metrics"]
    assert metrics["C1"]["n"] == 1
    assert metrics["C1"]["skipped"] == 5
    assert metrics["C1"]["pass@1"] == 1.0
