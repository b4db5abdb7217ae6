"""Recording under a project's own pytest settings, and what is said where nothing was seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_coderobust.errors import DataError
from pytest_coderobust.harvest.children import CallRecording, record_calls
from pytest_coderobust.harvest.complaints import check_recording
from pytest_coderobust.harvest.functions import find_functions
from pytest_coderobust.harvest.modules import find_modules, search_folder

PK = '''"""Pk."""


def pick(items, wanted):
    """The items that are wanted."""
    return [item for item in items if item in wanted]
'''
CALLS = "import pk\ndef test_pk():\n    assert pk.pick([1, 2], [1]) == [1]\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pk.py").write_text(PK)
    (tmp_path / "tests").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def record(
    project: Path, tests: str, addopts: str, options: tuple[str, ...] = (), more: str = ""
) -> CallRecording:
    (project / "tests" / "test_pk.py").write_text(tests)
    settings = f"[tool.pytest.ini_options]\naddopts = '{addopts}'\n{more}"
    (project / "pyproject.toml").write_text(settings)
    with search_folder(project):
        functions, _ = find_functions(find_modules("pk").modules)
        return record_calls(functions, [project / "tests"], project, options)


def test_settings_of_the_project_hide_no_calls(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Both end pytest where they are used: one option is of a plugin that is off, one is of nobody.
    monkeypatch.setenv("PYTEST_ADDOPTS", "--option-of-nobody")
    found = record(project, CALLS, "--coderobust-html=x.html")
    assert (found.status, found.begun, found.watching) == (0, 1, True)
    assert [len(calls) for calls in found.calls.values()] == [1]
    check_recording(found, whole=True)


def test_a_project_that_makes_errors_of_warnings_is_recorded(project: Path) -> None:
    found = record(project, CALLS, "", more='filterwarnings = ["error"]\n')
    assert (found.status, found.begun) == (0, 1), found.said


def test_an_error_out_of_pytest_is_no_silence(project: Path) -> None:
    plugin = "import pytest\n@pytest.hookimpl(tryfirst=True)\ndef pytest_cmdline_main():\n    raise OSError('gone')\n"
    (project / "plug.py").write_text(plugin)
    found = record(project, CALLS, "", ("-p", "plug"))
    assert found.status not in (None, 0)
    with pytest.raises(DataError, match="so nothing is known of the tests"):
        check_recording(found, whole=True)


def test_a_module_that_refuses_to_be_looked_at_hides_no_tests(project: Path) -> None:
    (project / "pk.py").write_text(
        f"{PK}\n\nclass Odd:\n    def __getattr__(self, name):\n        raise OSError(name)\n\n\nodd = Odd()\n"
    )
    found = record(project, CALLS, "")
    assert (found.status, found.begun) == (0, 1), found.said


def test_tests_that_call_nothing_are_told(project: Path) -> None:
    found = record(project, "def test_nothing():\n    pass\n", "")
    assert (found.status, found.begun) == (0, 0)
    with pytest.raises(DataError, match="called none of the package's functions"):
        check_recording(found, whole=True)
    check_recording(found, whole=False)  # of some functions, tests need not call any


def test_tests_that_do_not_run_are_told_with_pytests_words(project: Path) -> None:
    found = record(project, "import no_such_module_here\n", "", ("--import-mode=importlib",))
    assert found.status == 2
    with pytest.raises(DataError, match=r"exit status 2 .*addopts are not used here"):
        check_recording(found, whole=False)
    wrong = record(project, CALLS, "", ("--option-of-nobody",))
    with pytest.raises(DataError, match=r"exit status 4 .*option-of-nobody"):
        check_recording(wrong, whole=False)


def test_a_trace_that_was_taken_over_is_told() -> None:
    taken = CallRecording({}, {}, 0, 0, 0, {}, begun=0, watching=False)
    with pytest.raises(DataError, match="took Python's trace over"):
        check_recording(taken, whole=False)
    check_recording(CallRecording({}, {}, 0, 0, 1, {}, begun=3, watching=False), whole=True)
    check_recording(CallRecording({}, {}, 0, 0, None, {}), whole=True)
