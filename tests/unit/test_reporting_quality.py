"""Quality in every report: tables that fit, a document that is valid, nothing where not asked."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from support.quality_runs import TABLE, judged_result
from support.report_runs import HOSTILE, make_report

from pytest_coderobust.ledger import Ledger
from pytest_coderobust.reporting.html import render as render_html
from pytest_coderobust.reporting.json.document import dumps, make_document
from pytest_coderobust.reporting.markdown.gfm import format_code
from pytest_coderobust.reporting.markdown.report import render as render_markdown
from pytest_coderobust.reporting.quality_rows import CONFOUNDS, OURS, RUFF, THEIRS
from pytest_coderobust.reporting.terminal.report import render
from pytest_coderobust.results.conclusion import (
    Origin,
    SuiteReport,
    conclude,
    dump_conclusion,
    read_conclusions,
)
from pytest_coderobust.results.result import DecidedRun


def validate(result: DecidedRun) -> dict[str, Any]:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(
        files("pytest_coderobust.reporting.json").joinpath("schema.json").read_text()
    )
    read: dict[str, Any] = json.loads(dumps(make_document([result])))
    jsonschema.Draft202012Validator(schema).validate(read)
    return read


def report_of(folder: Path, result: DecidedRun) -> SuiteReport:
    made = make_report(folder, TABLE)
    summary = replace(made.summary, quality=result.summary.quality)
    return replace(made, result=replace(made.result, summary=summary))


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_terminal_has_the_tables_in_80_columns(encoding: str) -> None:
    text = render([judged_result()], 80, colour=False, encoding=encoding)
    text.encode(encoding)
    assert max(map(len, text.splitlines())) <= 80
    assert "quality by pylint 4.1.4" in text
    assert "…" not in text
    for heading in (
        r"^syntax errors +judged +errors +share \(95%\)$",
        r"^parses: per 100 lines +n +error +warning +refactor +convention +score +median$",
        r"^passes: by tier +E1 +E2 +W1 +W2 +W3 +R high +R low +C high +C low$",
        r"^solved in both +tasks +clean +perturbed +difference \(95%\)$",
        r"^C1 score +3 +\d+\.\d\d +\d+\.\d\d +-?\d+\.\d\d \(",
    ):
        assert re.search(heading, text, re.M), heading
    flat = " ".join(text.split())
    for sentence in (OURS, *CONFOUNDS):
        assert sentence in flat
    assert "gave up on some solutions, which are in no number: 1 note" in flat


def test_the_papers_way_and_ruff_go_under_their_own_names() -> None:
    paper = " ".join(render([judged_result(paper=True)], 80, colour=False).split())
    assert "quality by pylint 4.1.4, the paper's way" in paper
    assert THEIRS in paper
    assert OURS not in paper
    text = render([judged_result(tool="ruff")], 80, colour=False)
    assert "quality by ruff 4.1.4" in text
    assert RUFF in " ".join(text.split())
    assert "score" not in text.partition("most given")[0].partition("quality by")[2]
    assert "tier" not in text


@pytest.mark.parametrize("tool", ["pylint", "ruff"])
def test_document_has_the_numbers_and_fits_the_schema(tool: str) -> None:
    result = judged_result(tool=tool)
    found = validate(result)["quality"]
    assert (found["tool"], found["paper"], found["left_out"]) == (tool, False, 2)
    assert list(found["conditions"]) == ["clean", "C1", "C2", "character", "all"]
    c1 = found["conditions"]["C1"]
    assert (c1["judged"], c1["syntax_errors"], c1["unjudged"]) == (7, 1, 1)
    assert c1["paired"]["tasks"] == 3
    assert found["conditions"]["clean"]["paired"] is None
    assert ("score" in c1["paired"]["changes"]) == (tool == "pylint")
    assert (c1["parsing"]["score"] is None) == (tool == "ruff")


def test_markdown_and_page_have_the_intervals(tmp_path: Path) -> None:
    report = report_of(tmp_path, judged_result())
    markdown, page = render_markdown([report]), render_html([report])
    assert "### Quality: <code>quality by pylint 4&#46;1&#46;4</code>" in markdown
    assert re.search(r"\| <code>clean</code> \| 6 \| \d+\.\d\d \(\d", markdown)
    assert "<h3>quality by pylint 4.1.4</h3>" in page
    assert re.search(r"<th scope=\"row\">clean</th><td>6</td><td>\d+\.\d\d \(\d", page)
    for sentence in CONFOUNDS:
        assert format_code(sentence, 1000) in markdown
        assert sentence.replace("'", "&#39;") in page


def test_hostile_names_of_messages_are_escaped(tmp_path: Path) -> None:
    for place, text in enumerate(HOSTILE):
        result = judged_result(name=text[:200])
        shown = render([result], 80, colour=False)
        assert "\x1b" not in shown
        report = report_of(tmp_path / str(place), result)
        assert "<img" not in render_html([report]).partition('<section id="browser"')[0]
        assert "<img" not in render_markdown([report])
        validate(result)


def test_nothing_is_shown_where_quality_was_not_asked_for(tmp_path: Path) -> None:
    made = make_report(tmp_path, TABLE)
    assert "quality" not in make_document([made.result])
    assert "quality" not in render([made.result], 80, colour=False)
    assert "quality" not in render_markdown([made]).lower()
    assert "quality by" not in render_html([made])
    assert '"quality"' not in dump_conclusion(made.result, made.origin)


def test_a_conclusion_is_read_back_with_its_quality(tmp_path: Path) -> None:
    report = report_of(tmp_path, judged_result())
    ledger = Ledger(tmp_path / "ledger.sqlite")
    conclude(ledger, "run", report.result, Origin("toy.toml"))
    found = read_conclusions(ledger)[-1].report()
    assert found.summary.quality == report.summary.quality
    assert dumps(make_document([found.result])) == dumps(make_document([report.result]))
