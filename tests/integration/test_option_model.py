"""`--coderobust-model` and its polite alias."""

from __future__ import annotations

import pytest
from conftest import Project


def solved(result: pytest.RunResult) -> bool:
    return "6 solved" in result.stdout.str()


@pytest.mark.parametrize("option", ["--model=oracle", "--coderobust-model=oracle"])
def test_model_is_named_by_option(project: Project, option: str) -> None:
    project.write_suite()
    assert solved(project.run("toy.toml", option))


def test_model_is_named_by_ini_key(project: Project) -> None:
    project.write_suite()
    project.pytester.makeini("[pytest]\ncoderobust_model = oracle")
    assert solved(project.run("toy.toml"))


def test_alias_works_from_addopts(project: Project) -> None:
    project.write_suite()
    project.pytester.makeini("[pytest]\naddopts = --model oracle")
    assert solved(project.run("toy.toml"))


def test_alias_works_from_the_environment(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write_suite()
    monkeypatch.setenv("PYTEST_ADDOPTS", "--model=oracle")
    assert solved(project.run("toy.toml"))


def test_alias_works_under_xdist(project: Project) -> None:
    project.write_suite()
    assert solved(project.run("toy.toml", "--model", "oracle", "-n", "2"))


def test_alias_that_a_conftest_owns_stays_its_own(project: Project) -> None:
    project.pytester.makeconftest(
        "def pytest_addoption(parser): parser.addoption('--model', default='theirs')"
    )
    project.pytester.makepyfile(
        "def test_one(pytestconfig):\n"
        "    assert pytestconfig.getoption('--model') == 'car'\n"
        "    assert pytestconfig.getoption('coderobust_model') is None"
    )
    project.run("--model", "car").assert_outcomes(passed=1)


def test_canonical_option_works_beside_a_conftests_alias(project: Project) -> None:
    project.write_suite()
    project.pytester.makeconftest(
        "def pytest_addoption(parser): parser.addoption('--model', default='theirs')"
    )
    assert solved(project.run("toy.toml", "--coderobust-model", "oracle", "--model", "car"))


def test_unknown_model_is_a_usage_error_that_offers_the_nearest(project: Project) -> None:
    project.write_suite()
    result = project.run("toy.toml", "--model", "codelama-7b")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*unknown model 'codelama-7b'; did you mean 'codellama-7b'?*"])


def test_model_folder_that_is_missing_is_a_usage_error(project: Project) -> None:
    project.write_suite()
    result = project.run("toy.toml", "--model", "./no/such/folder")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*./no/such/folder*"])


def test_projects_own_model_name_is_known(project: Project) -> None:
    project.write_suite()
    project.pytester.makepyprojecttoml('[tool.coderobust.models.ours]\nid = "./weights"')
    result = project.run("toy.toml", "--model", "our")
    result.stderr.fnmatch_lines(["*did you mean 'ours'?*"])


def test_wrong_key_of_the_projects_settings_is_a_usage_error(project: Project) -> None:
    project.write_suite()
    project.pytester.makepyprojecttoml('[tool.coderobust]\nsuits = ["a.toml"]')
    result = project.run("toy.toml", "--model", "oracle")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*unknown key 'suits'; did you mean 'suites'?*"])


def test_model_that_cannot_be_downloaded_ends_the_run_with_one_sentence(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(project.path / "hub"))
    project.write_suite()
    result = project.run("toy.toml", "--model", "starcoder-1b")
    output = result.stdout.str()
    assert "bigcode/starcoderbase-1b" in output
    assert "Traceback" not in output
    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.INTERRUPTED or result.ret == pytest.ExitCode.TESTS_FAILED
