"""Rows that installed packages add to our registries by entry points."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.packages import install

from pytest_coderobust.errors import UsageError
from pytest_coderobust.extensions import read_rows

GROUP = "coderobust.test_rows"
POINTS = f"[{GROUP}]\ntheirs = {{module}}:ROW\n"


@dataclass(frozen=True)
class Row:
    text: str


SOURCE = f"from {__name__} import Row\nROW = Row('theirs')\n"
OWN = {"ours": Row("ours")}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_without_packages_the_rows_are_our_own() -> None:
    rows = read_rows(GROUP, Row, OWN)
    assert dict(rows) == OWN
    assert "theirs" not in rows
    with pytest.raises(KeyError):
        rows["theirs"]


def test_a_package_adds_a_row_after_our_own(site: Path) -> None:
    install(site, "first-package", SOURCE, POINTS.format(module="first_package"))
    rows = read_rows(GROUP, Row, OWN)
    assert list(rows) == ["ours", "theirs"]
    assert rows["theirs"] == Row("theirs")
    assert len(rows) == 2


def test_names_are_listed_without_an_import(site: Path) -> None:
    install(site, "lazy-package", SOURCE, POINTS.format(module="lazy_package"))
    assert "theirs" in read_rows(GROUP, Row, OWN)
    assert list(read_rows(GROUP, Row, OWN)) == ["ours", "theirs"]
    assert "lazy_package" not in sys.modules


def test_a_name_of_ours_is_a_clash(site: Path) -> None:
    install(site, "greedy-package", SOURCE, f"[{GROUP}]\nours = greedy_package:ROW\n")
    rows = read_rows(GROUP, Row, OWN)
    message = "'ours' is used by both pytest-coderobust and greedy-package; uninstall one"
    with pytest.raises(UsageError, match=message):
        rows["ours"]


def test_two_packages_with_one_name_are_a_clash(site: Path) -> None:
    install(site, "alpha-package", SOURCE, POINTS.format(module="alpha_package"))
    install(site, "beta-package", SOURCE, POINTS.format(module="beta_package"))
    rows = read_rows(GROUP, Row, OWN)
    assert list(rows) == ["ours", "theirs"]
    assert rows["ours"] == Row("ours")
    with pytest.raises(UsageError, match="by both alpha-package and beta-package"):
        rows["theirs"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import no_such_module_here", "cannot be imported: ModuleNotFoundError: No module named"),
        ("OTHER = 1", "cannot be imported: AttributeError: "),
        ("ROW = 'text'", "is not a Row; a str was found"),
    ],
)
def test_a_broken_package_is_named(site: Path, source: str, message: str) -> None:
    name = f"broken{abs(hash(source))}"
    install(site, name, source, POINTS.format(module=name))
    rows = read_rows(GROUP, Row, OWN)
    assert rows["ours"] == Row("ours")
    with pytest.raises(UsageError, match=f"'theirs' of the package {name} .*{message}"):
        rows["theirs"]
