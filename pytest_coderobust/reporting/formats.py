"""Reports as files, by the name of their format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pytest_coderobust.results.conclusion import SuiteReport


def json(reports: Sequence[SuiteReport]) -> str:
    """The machine's document."""
    from pytest_coderobust.reporting.json.document import document, dumps

    return dumps(document([report.result for report in reports]))


def markdown(reports: Sequence[SuiteReport]) -> str:
    """GitHub Flavored Markdown."""
    from pytest_coderobust.reporting.markdown.report import render

    return render(reports)


def junit(reports: Sequence[SuiteReport]) -> str:
    """JUnit XML; a session has pytest write its own."""
    from pytest_coderobust.reporting.junit import render

    return render(reports)


def html(reports: Sequence[SuiteReport]) -> str:
    """One page that needs nothing else."""
    from pytest_coderobust.reporting.html import render

    return render(reports)


FORMATS: Mapping[str, Callable[[Sequence[SuiteReport]], str]] = {
    "json": json,
    "markdown": markdown,
    "junit": junit,
    "html": html,
}
"""What each format's text is made by; all of them are pure."""


def write(kind: str, reports: Sequence[SuiteReport], path: Path) -> None:
    """Writes one format, and the folders above the file where they are missing."""
    text = FORMATS[kind](reports)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
