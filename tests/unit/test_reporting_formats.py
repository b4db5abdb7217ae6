"""The registry of report formats, and the options that are made from its rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.packages import install
from support.report_runs import make_report

from pytest_coderobust.cli import main
from pytest_coderobust.reporting.formats import FORMATS, list_options, write_format

SOURCE = """
from pytest_coderobust.reporting.formats import Format

ROW = Format("{module}:render", ".csv")


def render(reports):
    return "".join(f"{{report.run.suite}},{{len(report.run.tasks)}}\\n" for report in reports)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def lay(site: Path, package: str, name: str, source: str = SOURCE) -> None:
    module = package.replace("-", "_")
    points = f"[coderobust.formats]\n{name} = {module}:ROW\n"
    install(site, package, source.format(module=module), points)


def test_each_row_makes_text_of_its_own(tmp_path: Path) -> None:
    report = make_report(tmp_path, {"T/0": {"clean": 1, "C1-s0": 0}})
    texts: set[str] = set()
    for name, row in FORMATS.items():
        path = tmp_path / "deep" / f"report{row.suffix}"
        write_format(name, [report], path)
        texts.add(path.read_text(encoding="utf-8"))
    assert len(texts) == 4


def test_junit_is_a_format_of_the_command_alone() -> None:
    assert set(list_options("command")) - set(list_options("pytest")) == {"junit"}
    assert set(list_options("pytest")) <= set(list_options("command"))


def test_listing_the_formats_imports_none() -> None:
    program = (
        "import sys; from pytest_coderobust.reporting.formats import list_options\n"
        "list_options('pytest'), list_options('command')\n"
        "heavy = 'rich jinja2 numpy pytest_coderobust.results pytest_coderobust.ledger'.split()\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout == "[]\n"


def test_a_package_brings_a_format_for_both_doors(site: Path, tmp_path: Path) -> None:
    lay(site, "csv-package", "csv")
    make_report(tmp_path, {"T/0": {"clean": 1}, "T/1": {"clean": 0}})
    assert "csv" in list_options("pytest")
    path = tmp_path / "out.csv"
    assert main(["report", str(tmp_path / "ledger.sqlite"), "--csv", str(path)]) == 0
    assert path.read_text() == "toy,2\n"


def test_a_format_with_the_name_of_an_option_is_one_sentence(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lay(site, "list-package", "list")
    assert main(["report"]) == 4
    said = capsys.readouterr().err
    assert said.startswith("coderobust: the report format 'list' of an installed package has the")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        ("json", SOURCE, "'json' is used by both pytest-coderobust and bad-package"),
        ("bad", "ROW = 1", "is not a Format"),
        ("bad", SOURCE.replace("def render", "def other"), "has no attribute 'render'"),
    ],
)
def test_a_package_that_is_broken_stops_its_own_format_alone(
    site: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    source: str,
    message: str,
) -> None:
    lay(site, "bad-package", name, source)
    sys.modules.pop("bad_package", None)
    make_report(tmp_path, {"T/0": {"clean": 1}})
    ledger, path = str(tmp_path / "ledger.sqlite"), tmp_path / "out"
    assert main(["report", ledger, "--markdown", str(path)]) == 0
    assert path.read_text().startswith("## Robustness")
    assert main(["report", ledger, f"--{name}", str(path)]) == 4
    assert message in capsys.readouterr().err


ENDLESS = SOURCE.replace(
    'return "".join(f"{{report.run.suite}},{{len(report.run.tasks)}}\\n" for report in reports)',
    'yield "begun"\n    yield {value}',
)


@pytest.mark.parametrize(
    ("value", "message"),
    [("1 / 0", "ZeroDivisionError"), ("7", "it gave int, and a report is text")],
)
def test_a_report_that_breaks_off_leaves_the_file_that_was_there(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], value: str, message: str
) -> None:
    package = f"broken-{len(value)}"
    lay(site, package, "late", ENDLESS.replace("{value}", value))
    make_report(tmp_path, {"T/0": {"clean": 1}})
    path = tmp_path / "out" / "report.txt"
    path.parent.mkdir()
    path.write_text("the last one")
    assert main(["report", str(tmp_path / "ledger.sqlite"), "--late", str(path)]) == 4
    assert message in capsys.readouterr().err
    assert [each.read_text() for each in path.parent.iterdir()] == ["the last one"]


def test_a_report_goes_through_a_link_and_into_a_pipe(tmp_path: Path) -> None:
    report = make_report(tmp_path, {"T/0": {"clean": 1}})
    (tmp_path / "real.md").write_text("old")
    (tmp_path / "link.md").symlink_to("real.md")
    write_format("markdown", [report], tmp_path / "link.md")
    assert (tmp_path / "link.md").is_symlink()
    assert (tmp_path / "real.md").read_text().startswith("## Robustness")
    write_format("markdown", [report], Path("/dev/null"))
    assert Path("/dev/null").is_char_device()
