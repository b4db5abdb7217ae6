"""`--coderobust-markdown` and the step summary of a CI job."""

from __future__ import annotations

import pytest
from conftest import Project

from pytest_coderobust.reporting.markdown.report import LIMIT

markdown_it = pytest.importorskip("markdown_it")


def tables(text: str) -> list[int]:
    """Cells of each table row; a broken table would be a paragraph."""
    tokens = markdown_it.MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    assert not [t for t in tokens if t.type == "inline" and t.content.startswith("| ")]
    return [sum(t.type in ("th_open", "td_open") for t in tokens)]


def test_summary_is_appended_and_the_file_written(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write_suite('perturbations = ["C1"]\ngates = ["rd[C1] <= 0.1"]')
    model = project.record(broken=[0], unsolved=[1])
    summary = project.path / "summary.md"
    summary.write_text("said before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    result = project.run("toy.toml", "--model", model, "--coderobust-markdown", "out/report.md")
    assert result.ret == 1
    report = (project.path / "out" / "report.md").read_text(encoding="utf-8")
    assert summary.read_text(encoding="utf-8") == f"said before\n\n{report}"
    assert "❌ fails" in report
    assert "<code>Toy/0</code> under <code>C1-s0</code>: 0 of 1 pass" in report
    assert "assert candidate(3) == 6&#59; double(3) returned None" in report
    assert tables(report) == [3 * 2 + 11 * 3]


def test_full_summary_gets_nothing_more(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write_suite()
    summary = project.path / "summary.md"
    summary.write_text("x" * LIMIT)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    result = project.run("toy.toml", "--model", "oracle")
    assert result.ret == 0
    assert summary.stat().st_size == LIMIT
