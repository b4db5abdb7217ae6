"""The HTML report driven in a real browser: filters, keyboard, phone, and hostile text.

Skipped where Chromium or its driver is missing; nothing is downloaded for it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from support.metrics_runs import Outcome
from support.page_driver import console, requests, texts, visit
from support.report_runs import HOSTILE, hostile_report, make_report

from pytest_coderobust.reporting.hostile import escape_block
from pytest_coderobust.reporting.html import render
from pytest_coderobust.reporting.html.evidence import TEXT
from pytest_coderobust.results.conclusion import Origin

TABLE: dict[str, dict[str, Outcome]] = {
    "T/0": {"clean": 1, "C1-s0": 0, "C2-s0": 1, "W1-s0": 0},
    "T/1": {"clean": 1, "C1-s0": 1, "C2-s0": "skip", "W1-s0": 0},
    "T/2": {"clean": 0, "C1-s0": 0, "C2-s0": 0, "W1-s0": 0},
}


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Any:
    """The browser on the page of a small run."""
    report = make_report(tmp_path, TABLE, None, "rd[C1] <= 0.15")
    file = tmp_path / "report.html"
    file.write_text(render([report]), encoding="utf-8")
    visit(browser, file)
    yield browser
    assert console(browser) == []
    assert set(requests(browser)) <= {file.as_uri(), "data:,"}


def listed(browser: Any, expected: list[str]) -> bool:
    """Waits until the list shows these items; the browser passes input on when it has time."""
    for _ in range(1200):
        if texts(browser, ".item .id") == expected:
            return True
        sleep(0.05)
    pytest.fail(f"{texts(browser, '.item .id')} is not {expected}")


def first(browser: Any, selector: str) -> Any:
    return browser.find_element("css selector", selector)


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        (
            "quickstart",
            "from pytest_coderobust import run\nrun('quickstart', 'tiny')",
        ),
        (
            "a\x1b[2J'.toml",
            r"pytest $'a\033[2J\'.toml''::T/0[C1-s0]' --coderobust-model=tiny --coderobust-strict --coderobust-no-gates",
        ),
    ],
)
def test_an_item_shows_how_to_reproduce_it(
    browser: Any, tmp_path: Path, reference: str, shown: str
) -> None:
    words = ("--coderobust-model=tiny",)
    report = replace(make_report(tmp_path, TABLE), origin=Origin(reference, words))
    file = tmp_path / "report.html"
    file.write_text(render([report]), encoding="utf-8")
    visit(browser, file)
    first(browser, ".item").click()
    for _ in range(1200):
        if len(found := texts(browser, "#detail pre")) > 1:
            break
        sleep(0.05)
    assert found[-1] == shown
    assert console(browser) == []
    assert set(requests(browser)) <= {file.as_uri(), "data:,"}


def test_page_opens_on_what_is_broken(page: Any) -> None:
    assert texts(page, ".gate .outcome") == ["fails"]
    assert first(page, "#count").text == "3 of 12 items"
    assert texts(page, ".item .id") == ["T/0 [C1-s0]", "T/0 [W1-s0]", "T/1 [W1-s0]"]
    assert "T/0" not in first(page, "#detail").text


def test_filters_narrow_the_list_and_reset_restores_it(page: Any) -> None:
    first(page, "#f-text").send_keys("t/1")
    assert listed(page, ["T/1 [W1-s0]"])
    first(page, "#f-status input[value=r]").click()
    assert listed(page, ["T/1 [C1-s0]", "T/1 [W1-s0]"])
    first(page, "#f-cell").send_keys("C1")
    assert listed(page, ["T/1 [C1-s0]"])
    first(page, "#filters button[type=reset]").click()
    assert listed(page, ["T/0 [C1-s0]", "T/0 [W1-s0]", "T/1 [W1-s0]"])
    first(page, ".tile[data-perturbation=W1]").click()
    assert listed(page, ["T/0 [W1-s0]", "T/1 [W1-s0]"])


def test_keyboard_opens_a_task_with_diff_completions_and_failing_test(page: Any) -> None:
    page.execute_script("document.querySelector('.item').focus()")
    page.switch_to.active_element.send_keys("\ue015")  # arrow down
    assert page.switch_to.active_element.text.startswith("T/0 [W1-s0]")
    page.switch_to.active_element.send_keys("\ue007")  # Enter
    assert page.switch_to.active_element.get_attribute("id") == "detail"
    detail = first(page, "#detail").text
    assert (texts(page, "#detail del"), texts(page, "#detail ins")) == (["number"], ["nubmer"])
    assert "return 3" in detail
    assert "assert f(1) == 2; f(1) returned 3" in detail
    assert "return x" in detail  # what the clean prompt got
    assert "pytest 'toy.toml::T/0[W1-s0]' --coderobust-model=tiny --coderobust-strict" in detail


def test_phone_scrolls_down_only(page: Any) -> None:
    size = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        page.refresh()
        first(page, ".item").click()
        assert page.execute_script("return document.documentElement.scrollWidth") == 360
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_nothing_hostile_runs_and_everything_shows(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "hostile.html"
    file.write_text(render([hostile_report(tmp_path)]), encoding="utf-8")
    visit(browser, file)
    items = browser.find_elements("css selector", ".item")
    assert len(items) == len(HOSTILE)
    shown = []
    for item in items:
        item.click()
        shown.append(first(browser, "#detail pre.completion").get_property("textContent"))
        assert browser.title.startswith("Robustness: </script><img")
    assert shown == [escape_block(text, TEXT) for text in HOSTILE]
    assert browser.execute_script("return document.images.length") == 0
    assert console(browser) == []
    assert set(requests(browser)) <= {file.as_uri(), "data:,"}


def test_policy_stops_what_slipped_in(page: Any, tmp_path: Path) -> None:
    """Were text ever taken for markup, the policy would still run none of it."""
    file = tmp_path / "report.html"
    planted = (
        "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">"
    )
    other = tmp_path / "planted.html"
    other.write_text(file.read_text(encoding="utf-8").replace("<main>", f"<main>{planted}"))
    visit(page, other)
    assert page.title == "Robustness: toy"
    assert any("Content Security Policy" in line for line in console(page))
    requests(page)
