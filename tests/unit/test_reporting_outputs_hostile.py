"""Text from models and data sets renders as text in every output."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support.report_runs import HOSTILE, hostile_report

from pytest_coderobust.reporting.bugs.folder import write_bugs
from pytest_coderobust.reporting.formats import FORMATS, render_format
from pytest_coderobust.reporting.terminal.report import render as render_terminal

markdown_it = pytest.importorskip("markdown_it")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]")


class Elements(HTMLParser):
    """The elements of a page, and the text of each script."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "script" and self.scripts:
            self.scripts[-1] += data


def check_markdown(text: str) -> None:
    """Only our own tags are markup, and no table row fell out of its table."""
    assert not CONTROL.search(text)
    tokens = markdown_it.MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    for token in tokens:
        if token.type == "html_block":
            assert re.fullmatch(
                r"<details><summary><code>[^<>]*</code> under <code>[^<>]*</code>: [^<>]*</summary>|</details>",
                token.content.strip(),
            ), token.content
        for child in token.children or ():
            assert child.type in (
                "text", "text_special", "html_inline", "softbreak", "em_open", "em_close",
                "strong_open", "strong_close", "link_open", "link_close",
            ), child  # fmt: skip
            if child.type == "html_inline":
                assert child.content in ("<code>", "</code>"), child.content
            if child.type == "link_open":
                assert re.fullmatch(r"[A-Za-z0-9-]+\.md", child.attrs["href"])
        if token.type == "inline":
            assert not token.content.startswith("| ")


def test_every_output_shows_it_as_text(tmp_path: Path) -> None:
    report = hostile_report(tmp_path)
    written = {name: render_format(name, [report]) for name in FORMATS}
    written["terminal"] = render_terminal([report.result], 80, False)
    for name, text in written.items():
        assert not CONTROL.search(text), name
        text.encode("utf-8")
        assert len(text) < 2_500_000, name
    assert "\x1b" not in written["terminal"]
    assert json.loads(written["json"])["notes"] == list(HOSTILE)
    ET.fromstring(written["junit"])
    check_markdown(written["markdown"])

    page = Elements()
    page.feed(written["html"])
    assert "img" not in page.tags
    assert page.tags.count("script") == 3
    for data in page.scripts[:2]:
        assert not set("<>&") & set(data)
        json.loads(data)
    assert "pwned" in page.scripts[1]
    assert "https://" not in written["html"].replace("https://evil.test", "")


def test_bug_reports_show_it_as_text(tmp_path: Path) -> None:
    folder = tmp_path / "bugs"
    write_bugs([hostile_report(tmp_path)], [()], folder)
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 2 * len(HOSTILE) + 1
    assert all(re.fullmatch(r"[A-Za-z0-9-]+\.(md|json)", name) for name in names)
    completions = set()
    for path in folder.glob("*.md"):
        check_markdown(path.read_text(encoding="utf-8"))
        assert path.stat().st_size < 200_000
    for path in folder.glob("*.json"):
        found = json.loads(path.read_text(encoding="ascii"))
        completions.add(found["broken"]["sample"]["completion"])
        assert found["changes"][0]["replacement"] == "nubmer"
    assert completions == set(HOSTILE)
