"""The pictures of where the layers are, in a real browser: bars as long as the numbers beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import scipy.stats  # noqa: F401  (the first interval would import it)
from support.history_runs import add_release
from support.page_driver import console, visit

from pytest_coderobust.metrics.summary import summarise
from pytest_coderobust.records.editing import EditFacts, Editing, EditRecord, TracedRequest
from pytest_coderobust.reporting.html import render
from pytest_coderobust.results.result import DecidedRun

WRITTEN = (3, 1, 3, 3)
TRACED = (
    TracedRequest("C1", "A", 1, (0.0, 1.0, 0.5)),
    TracedRequest("C1", "B", 1, (0.2, 0.6, 0.0)),
    TracedRequest("C1", "C", None, (0.0, 0.0, 0.0)),
    TracedRequest("C1", "D", 0, (0.6, 0.0, 0.1)),
)
"""Key layers 0, 1 and 1, and a request without one; the means restored are 0.2, 0.4 and 0.15."""

ROWS = """return [...document.querySelectorAll("table.layers")].map((table) =>
 [...table.tBodies[0].rows].map((row) => [row.cells[0].innerText,
  ...[...row.querySelectorAll("svg")].map((svg) => { const box = svg.getBoundingClientRect();
   const at = (kind) => { const found = svg.querySelector(kind);
    if (!found) return null;
    const b = found.getBoundingClientRect();
    return [(b.left - box.left) / box.width, (b.right - box.left) / box.width]; };
   return {range: at(".range"), mark: at(".mark"), text: svg.previousElementSibling.innerText}; })]))"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layers")
    report = add_release(folder, 1)
    records = tuple(
        EditRecord("C1", n, (f"R/{n}",), EditFacts("weights", (layer,)), (), (), (), ())
        for n, layer in enumerate(WRITTEN, 1)
    )
    editing = Editing(("creme",), "instant", 4, True, "T=0", records, traced=TRACED)
    run = replace(report.run, editing=editing)
    edited = replace(report, result=DecidedRun(run, summarise(run), ()))
    (folder / "page.html").write_text(render([edited]), encoding="utf-8")
    return folder / "page.html"


def show_all(browser: Any, width: int) -> None:
    """A window in which the whole page is seen: what is not, has no places yet."""
    screen = {"width": width, "height": 9000, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)


def test_bars_are_as_long_as_the_numbers(browser: Any, page: Path) -> None:
    show_all(browser, 1280)
    visit(browser, page)
    written, swept = browser.execute_script(ROWS)
    assert console(browser) == []
    assert [(name, bar["text"]) for name, bar in written] == [("layer 1", "1"), ("layer 3", "3")]
    (_, one), (_, three) = written
    assert three["range"] == pytest.approx([0, 1], abs=0.01)
    assert one["range"] == pytest.approx([0, 1 / 3], abs=0.01)
    keys = [(name, bar["text"], bar["range"][1]) for name, bar, _ in swept]
    assert keys == [
        ("layer 0", "1", pytest.approx(0.25, abs=0.01)),
        ("layer 1", "2", pytest.approx(0.5, abs=0.01)),
        ("layer 2", "0", pytest.approx(0, abs=0.01)),
    ]
    for (_, _, restored), mean in zip(swept, (0.2, 0.4, 0.15), strict=True):
        assert restored["text"].startswith(f"{mean:.3f}")
        low, high = map(float, restored["text"].split("(")[1].rstrip(")").split(", "))
        assert restored["mark"][0] == pytest.approx(mean, abs=0.011)
        assert restored["range"] == pytest.approx([max(low, 0), min(high, 1)], abs=0.011)


@pytest.mark.parametrize("width", [1280, 390])
def test_pictures_fit_a_desk_and_a_phone(browser: Any, page: Path, width: int) -> None:
    show_all(browser, width)
    visit(browser, page)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    boxes = browser.execute_script(
        "return [...document.querySelectorAll('table.layers svg')]"
        ".map((svg) => svg.getBoundingClientRect()).map((box) => [box.width, box.right])"
    )
    assert len(boxes) == 2 + 6
    assert all(wide > 60 and right <= width for wide, right in boxes)
