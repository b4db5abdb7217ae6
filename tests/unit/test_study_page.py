"""The page of a study, read as text and driven in a real browser at two widths."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from support.page_driver import console, requests, visit
from support.study_results import make_study
from support.study_variants import make_hostile_study, make_successive_study

from pytest_coderobust.reporting.study.bars import make_bars
from pytest_coderobust.reporting.study.figures import WIDE
from pytest_coderobust.reporting.study.page import render_study_page
from pytest_coderobust.reporting.study.rows import make_main_table


class TagReader(HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_has_every_figure_of_the_first_table() -> None:
    study = make_study()
    read = TagReader(render_study_page(study))
    text = " ".join(" ".join(read.text).split())
    for row in make_main_table(study, WIDE).rows:
        assert " ".join(row) in text


def test_bars_are_as_long_as_the_answers_are_many() -> None:
    study = make_study()
    read = TagReader(render_study_page(study))
    bars = [bar for subset in ("reliability", "generalisation") for bar in make_bars(study, subset)]
    drawn = [attrs for tag, attrs in read.tags if tag == "svg" and attrs.get("class") == "bar"]
    assert [attrs["aria-label"] for attrs in drawn] == [f"{bar.arm}: {bar.told}" for bar in bars]
    widths = [
        float(attrs["width"] or 0) for tag, attrs in read.tags if tag == "rect" and "x" in attrs
    ]
    assert widths == [part.width for bar in bars for part in bar.parts]
    assert sum(widths) == pytest.approx(100 * len(bars))


def test_the_page_asks_for_nothing_and_runs_nothing() -> None:
    page = render_study_page(make_hostile_study())
    read = TagReader(page)
    assert not [each for each, _ in read.tags if each in ("script", "img", "iframe", "object")]
    assert not [each for _, each in read.tags if any(name.startswith("on") for name in each)]
    addresses = [attrs.get("href") or attrs.get("src") for _, attrs in read.tags]
    assert [each for each in addresses if each] == ["data:,"]
    policy = next(attrs["content"] for _, attrs in read.tags if "http-equiv" in attrs)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert not re.search("[\u202e\x1b]", page)
    assert render_study_page(make_hostile_study()) == page


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_a_desk_and_a_phone(browser: Any, tmp_path: Path, width: int) -> None:
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    for name, study in (("story", make_successive_study()), ("hostile", make_hostile_study())):
        file = tmp_path / f"{name}.html"
        file.write_text(render_study_page(study), encoding="utf-8")
        visit(browser, file)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        # The style was applied: the page's own policy did not refuse it.
        fill = "return getComputedStyle(document.querySelector('rect.correct')).fill"
        assert browser.execute_script(fill) in ("rgb(26, 127, 55)", "rgb(63, 185, 80)")
        assert console(browser) == []
        assert set(requests(browser)) <= {file.as_uri(), "data:,"}
    charts = browser.find_elements("css selector", ".bar")
    assert charts
    assert all(0 < each.size["width"] <= width for each in charts)
