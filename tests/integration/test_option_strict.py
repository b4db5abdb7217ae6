"""`--coderobust-strict`: a broken prompt fails its test, with the evidence."""

from __future__ import annotations

from conftest import Project


def test_broken_fails_and_robust_passes(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]')
    result = project.run("toy.toml", "--coderobust-strict", "--model", project.record(broken=[1]))
    result.stdout.fnmatch_lines(["FAILED toy.toml::Toy/1[[]C1-s0]*"])
    assert "1 failed" in result.stdout.str()
    assert result.ret == 1


def test_failure_shows_diff_completion_reason_and_reproduce_command(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]')
    result = project.run("toy.toml", "--coderobust-strict", "--model", project.record(broken=[1]))
    result.stdout.fnmatch_lines(
        [
            "Toy/1 is solved clean (1 of 1) and broken under C1-s0 (0 of 1)",
            "--- clean prompt",
            "+++ C1-s0",
            "-*Return the given number with the opposite sign.*",
            "+*",
            "completion 0*",
            "*return None*",
            "wrong-answer, 0 of 3 tests pass*",
            "reproduce: pytest 'toy.toml::Toy/1[[]C1-s0]' --coderobust-model=replay:answers.jsonl*",
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_x_stops_at_the_first_broken_item_only_under_strict(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]')
    model = project.record(broken=[1, 2, 3])
    strict = project.run("toy.toml", "-x", "--coderobust-strict", "--model", model)
    assert "1 failed" in strict.stdout.str()
    assert "3 broken" in project.run("toy.toml", "-x", "--model", model).stdout.str()


def test_last_failed_follows_broken_items(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]')
    model = project.record(broken=[1, 2])
    run = project.pytester.runpytest_subprocess
    run("toy.toml", "--coderobust-strict", "--model", model)
    result = run("toy.toml", "--coderobust-strict", "--lf", "-v", "--model", model)
    result.assert_outcomes(failed=2, deselected=10)
    assert "robust in" not in result.stdout.str()


def test_unsolved_is_not_broken(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]')
    model = project.record(unsolved=range(6))
    assert project.run("toy.toml", "--coderobust-strict", "--model", model).ret == 0


def test_command_that_is_printed_shows_the_first_broken_prompt(project: Project) -> None:
    import shlex

    project.write_suite('perturbations = ["C2", "C1"]')
    model = project.record(broken=[2, 4])
    first = project.run("toy.toml", "--perturb", "C1", "--model", model)
    (line,) = [line for line in first.outlines if line.startswith("see the first broken prompt")]
    words = shlex.split(line.partition(": ")[2])
    assert words[:2] == ["pytest", "toy.toml::Toy/2[C1-s0]"]
    again = project.run(*words[1:])
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["Toy/2 is solved clean*broken under C1-s0*"])
