"""Calls that the page and `coderobust explain` show of a suite without a file do show it again."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import scipy.stats  # noqa: F401 - pytester forgets what is imported during a test

from pytest_coderobust import SuiteResult, run
from pytest_coderobust.cli import main

VOID = {"img", "br", "hr", "meta", "link", "input"}


def read_status(result: SuiteResult, name: str) -> str:
    (found,) = (each.status for each in result.conclusion.run.observations
                if f"{each.task_id}[{each.cell.label}]" == name)  # fmt: skip
    return found.value


def repeat(call: str) -> SuiteResult:
    """Does what a call says."""
    assert call.startswith("run('quickstart', 'scripted:canonical@0.5', ")
    found: SuiteResult = eval(call, {"run": run})
    return found


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SuiteResult]:
    folder = tmp_path_factory.mktemp("named")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        found = run(
            "quickstart", "scripted:canonical@0.5", perturb=["C1", "C2"], limit=4, chat=False,
            sandbox_workers=1,
        )  # fmt: skip
    return folder, found


@pytest.mark.parametrize("label", ["clean", "C2-s0"])
def test_the_call_of_a_story_shows_the_same_item(
    measured: tuple[Path, SuiteResult],
    label: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, result = measured
    name = f"quickstart/3[{label}]"
    monkeypatch.chdir(folder)
    assert main(["explain", name]) == 0
    call = capsys.readouterr().out.rpartition("    in Python: ")[2]
    again = repeat(call)
    assert read_status(again, name) == read_status(result, name)
    assert again.metrics["clean"]["n"] == 4
    assert "chat=False" in call


def test_the_calls_of_the_page_show_the_same_columns(
    measured: tuple[Path, SuiteResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, result = measured
    monkeypatch.chdir(folder)
    page = result.report(folder / "page.html").read_text(encoding="utf-8")
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    (suite,) = json.loads(data)["suites"]
    calls = suite["reproduce"][2]
    assert [cell[0] for cell in suite["cells"]] == ["clean", "C1-s0", "C2-s0"]
    again = repeat(calls[1])
    assert {"clean", "C1"} <= set(again.metrics)
    assert "C2" not in again.metrics
    for task in result.conclusion.run.tasks:
        name = f"{task}[C1-s0]"
        assert read_status(again, name) == read_status(result, name)


class TagBalance(HTMLParser):
    """Reader of HTML that says where an end has no beginning."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        """An element that has no end of its own."""

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open in ([], ["div"]):
            self.wrong.append(data)


def test_cards_are_whole_html(measured: tuple[Path, SuiteResult]) -> None:
    _, result = measured
    for shown in (result._repr_html_(), result.compare(result, margin=0.1)._repr_html_()):
        reader = TagBalance()
        reader.feed(shown)
        assert (reader.wrong, reader.open) == ([], [])
    assert shown.count("at a margin of 0.1") == 1
