"""The pictures and links of the pages in a real browser: places, phone, dark, print, axe.

Skipped where Chromium or its driver is missing; axe where npm has not brought it.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import scipy.stats  # noqa: F401  (the first comparison would import it)
from support.axe import list_violations
from support.history_runs import add_release
from support.page_driver import console, requests, visit
from support.report_runs import HOSTILE, hostile_report
from support.study_results import make_study

from pytest_coderobust.ledger import Ledger
from pytest_coderobust.reporting.history.page import render_history_page
from pytest_coderobust.reporting.html import render
from pytest_coderobust.reporting.study.page import render_study_page
from pytest_coderobust.results.against import join_comparison
from pytest_coderobust.results.conclusion import SuiteReport, read_conclusions
from pytest_coderobust.results.history import LabelledRun, trace_histories

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> SuiteReport:
    """A run of three seeds that was compared with an earlier one."""
    folder = tmp_path_factory.mktemp("compared")
    before = add_release(folder, 1)
    after = add_release(folder, 2, "pass@1 >= 0.5", "rd[C3] <= 0.5", scale=1.1)
    return join_comparison(after, before, 0.05)


@pytest.fixture(scope="module")
def pages(compared: SuiteReport, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report's page, the history's, a study's, and one whose every text is hostile."""
    folder = tmp_path_factory.mktemp("pages")
    ledger: Ledger = compared.archive._ledger
    runs = [LabelledRun(HOSTILE[0], each) for each in read_conclusions(ledger)]
    texts = {
        "report": render([compared]),
        "history": render_history_page(trace_histories(runs, 0.05)),
        "study": render_study_page(make_study()),
        "hostile": render([hostile_report(folder)]),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in texts}


def measure(browser: Any, script: str) -> Any:
    return browser.execute_script(f"return {script}")


def read_board(browser: Any) -> str:
    """Reads the clipboard that the page kept as `board`."""
    found: str = browser.execute_async_script(
        "const done = arguments[0]; board.readText().then(done, (error) => done(String(error)));"
    )
    return found


def show(browser: Any, scheme: str = "light", screen: dict[str, Any] | None = None) -> None:
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [feature]})
    if screen:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    else:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_spots_stand_where_the_rates_are(
    browser: Any, pages: dict[str, Path], compared: SuiteReport
) -> None:
    show(browser)
    visit(browser, pages["report"])
    drawn = measure(
        browser,
        "[...document.querySelectorAll('.pair-row:not(.pair-axis)')].map((row) => {"
        " const box = row.querySelector('svg.pair').getBoundingClientRect();"
        " const at = (kind) => { const b = row.querySelector('circle.' + kind).getBoundingClientRect();"
        "  return (b.left + b.width / 2 - box.left) / box.width; };"
        " const bar = (kind) => row.querySelector('rect.' + kind).getBoundingClientRect().width;"
        " return [row.querySelector('.pick').textContent, at('clean'), at('perturbed'),"
        "  bar('broken-bar'), bar('fixed-bar')]; })",
    )
    pairs = {pair.condition: pair for pair in compared.pair_clean()}
    assert {name for name, *_ in drawn} >= {"C1", "C2", "C3", "W1", "nlp:E1", "all"}
    shares = []
    for name, clean, perturbed, broken, fixed in drawn:
        pair = pairs[name]
        assert pair.clean is not None
        assert pair.perturbed is not None
        assert clean == pytest.approx(pair.clean.value, abs=0.005)
        assert perturbed == pytest.approx(pair.perturbed.value, abs=0.005)
        shares += [(broken, pair.broken / pair.items), (fixed, pair.fixed / pair.items)]
    widest = max(width for width, _ in shares)
    most = max(share for _, share in shares)
    assert widest > 20
    for width, share in shares:
        assert width / widest == pytest.approx(share / most, abs=0.03)


def test_the_head_says_verdict_model_and_numbers(
    browser: Any, pages: dict[str, Path], compared: SuiteReport
) -> None:
    show(browser)
    visit(browser, pages["report"])
    line = measure(browser, "document.querySelector('.verdict-line').textContent")
    assert line.split()[:3] == ["Fails", "codellama-7b-rc2", compared.run.model.digest[:12]]
    assert "1 of 2 gates: rd[C3] <= 0.5" in line
    cards = measure(
        browser, "[...document.querySelectorAll('.card .value')].map((e) => e.textContent)"
    )
    all_ = compared.summary.condition("all")
    assert all_ is not None
    assert all_.scores[1].rd is not None
    assert f"{all_.scores[1].rd.value:.3f}" in cards
    assert str(all_.broken) in cards
    seeds = measure(
        browser,
        "[...document.querySelectorAll('.tile[data-perturbation=C3] .seed')]"
        ".map((e) => e.lastChild.textContent)",
    )
    own = [each for each in compared.score_seeds() if each.cell.perturbation == "C3"]
    assert seeds == [f"{each.rd:.2f}" for each in own if each.rd is not None]
    assert len(seeds) == 3
    charts = measure(
        browser, "[...document.querySelectorAll('.panel')].map((e) => e.getAttribute('aria-label'))"
    )
    assert compared.summary.comparison is not None
    known = [c for c in compared.summary.comparison.changes if c.measure == "rd"]
    assert len(charts) == len(known)
    for told, change in zip(charts, known, strict=True):
        assert told.startswith(
            f"{change.condition}: RD before {change.before:.3f}, now {change.after:.3f}"
        )
        assert told.endswith(change.verdict)


def test_a_name_filters_the_tasks(browser: Any, pages: dict[str, Path]) -> None:
    show(browser)
    visit(browser, pages["report"])
    browser.find_element("css selector", ".pick[data-perturbation=W1]").click()
    shown = measure(
        browser, "[...document.querySelectorAll('.item .id')].map((e) => e.textContent)"
    )
    assert shown
    assert all("[W1-" in each for each in shown)


def test_a_link_opens_its_item_and_is_copied(
    browser: Any, pages: dict[str, Path], compared: SuiteReport
) -> None:
    show(browser)
    robust = next(o for o in compared.run.observations if o.status.value == "robust")
    name = f"{robust.task_id}[{robust.cell.label}]"
    browser.get("about:blank")
    browser.get(pages["report"].as_uri() + "#item=0/" + name)
    assert measure(browser, "document.querySelector('#detail h3').firstChild.textContent") == (
        f"{robust.task_id} [{robust.cell.label}] "
    )
    # It lies on the screen, the keyboard is there, and the list shows it chosen.
    assert measure(browser, "document.activeElement.id") == "detail"
    top = measure(browser, "document.querySelector('#detail').getBoundingClientRect().top")
    assert 0 <= top < measure(browser, "innerHeight")
    assert measure(browser, "document.querySelector('.item[aria-current] .id').textContent") == (
        f"{robust.task_id} [{robust.cell.label}]"
    )
    other = measure(browser, "(document.querySelectorAll('.item')[2].click(), location.href)")
    assert "#item=0/HumanEval%2F" in other
    browser.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    browser.find_element("css selector", ".share button").click()
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, 60).until(
        lambda b: b.execute_script("return document.querySelector('.copied').textContent") != ""
    )
    assert measure(browser, "document.querySelector('.copied').textContent") == "Copied."
    assert measure(browser, "document.querySelector('.share a').href") == other
    measure(browser, "void (window.board = navigator.clipboard)")
    assert read_board(browser) == other
    # A page from a plain web server has no clipboard of its own; the old way copies too.
    measure(browser, "void Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    measure(browser, "document.querySelectorAll('.item')[4].click()")
    third = measure(browser, "location.href")
    assert third != other
    browser.find_element("css selector", ".share button").click()
    assert measure(browser, "document.querySelector('.copied').textContent") == "Copied."
    assert read_board(browser) == third
    browser.get(pages["report"].as_uri() + "#item=0/%E0%A4<b>[C1-s0]")
    WebDriverWait(browser, 60).until(
        lambda b: (
            "no item" in b.execute_script("return document.querySelector('#detail').textContent")
        )
    )
    assert measure(browser, "document.querySelectorAll('#detail b').length") == 0
    assert console(browser) == []


def test_every_hostile_item_has_a_link_of_its_own(browser: Any, pages: dict[str, Path]) -> None:
    show(browser)
    visit(browser, pages["hostile"])
    names = measure(
        browser, "[...document.querySelectorAll('.item .id')].map((e) => e.textContent)"
    )
    links = measure(
        browser,
        "[...document.querySelectorAll('.item')].map((e) => (e.click(), location.hash))",
    )
    assert len(set(links)) == len(names) == len(HOSTILE)
    for name, link in zip(names, links, strict=True):
        browser.get("about:blank")
        browser.get(pages["hostile"].as_uri() + link)
        title = measure(browser, "document.querySelector('#detail h3').firstChild.textContent")
        assert title.strip() == name
        assert browser.title.startswith("Robustness: </script>")
    assert console(browser) == []


def test_pages_fit_a_phone(browser: Any, pages: dict[str, Path]) -> None:
    show(browser, screen=PHONE)
    for name, page in pages.items():
        visit(browser, page)
        assert measure(browser, "document.documentElement.scrollWidth") == 390, name
        wide = measure(
            browser,
            "[...document.querySelectorAll('svg')].filter((e) => e.getBoundingClientRect().right > 390"
            " && !e.closest('.wide')).length",
        )
        assert wide == 0, name
    show(browser)


def test_paper_is_white_and_has_the_pictures(browser: Any, pages: dict[str, Path]) -> None:
    show(browser, "dark")
    for name in ("report", "history"):
        visit(browser, pages[name])
        assert (
            measure(browser, "getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 23)"
        )
        # A browser may print in the reader's colours; the page does not.
        dark = {"name": "prefers-color-scheme", "value": "dark"}
        browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"media": "print", "features": [dark]}
        )
        assert (
            measure(browser, "getComputedStyle(document.body).backgroundColor")
            == "rgb(255, 255, 255)"
        )
        assert measure(
            browser,
            "[...document.querySelectorAll('.panel, .pair')].every((e) => e.getBoundingClientRect().height > 10)",
        )
        if name == "report":
            assert (
                measure(browser, "getComputedStyle(document.querySelector('#filters')).display")
                == "none"
            )
        printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
        assert base64.b64decode(printed["data"]).startswith(b"%PDF")
        show(browser, "dark")
    show(browser)


@pytest.mark.parametrize(("scheme", "screen"), [("light", None), ("dark", PHONE)])
def test_axe_finds_no_violation(
    browser: Any, pages: dict[str, Path], scheme: str, screen: dict[str, Any] | None
) -> None:
    show(browser, scheme, screen)
    for name in ("report", "history", "study"):
        visit(browser, pages[name])
        if name == "report":
            measure(browser, "document.querySelector('.item').click()")
        assert list_violations(browser) == [], name
    show(browser)


def test_the_history_draws_every_release(browser: Any, pages: dict[str, Path]) -> None:
    show(browser)
    visit(browser, pages["history"])
    assert (
        measure(
            browser,
            "document.querySelector('.tall .panel').querySelectorAll('circle.clean').length",
        )
        == 2
    )
    places = measure(
        browser,
        "[...document.querySelectorAll('.charts-grid .panel')].map((e) =>"
        " [e.getAttribute('aria-label'), [...e.querySelectorAll('circle')].map((c) => c.getBoundingClientRect().top)])",
    )
    assert {told.partition(";")[0] for told, _ in places} >= {"C1", "C3", "W1", "all"}
    for told, tops in places:
        values = [float(each) for each in told.rpartition("perturbed ")[2].split(", ")]
        # More lost is drawn higher.
        assert (values[0] < values[1]) == (tops[0] > tops[1]) or values[0] == values[1]
    assert measure(browser, "document.querySelector('td:nth-child(2)').textContent").startswith(
        "</script><img"
    )
    # The head has the latest release's rate and the first one's; the table has both.
    rates = measure(
        browser,
        "[...document.querySelectorAll('.releases td:nth-child(4)')].map((e) => e.textContent)",
    )
    card = measure(browser, "document.querySelector('.card dd').textContent").split()
    assert card[0] == rates[1].split()[0]
    assert card[-3:] == ["release", "1:", rates[0].split()[0]]
    assert browser.title == "Robustness over releases: toy"
    assert console(browser) == []
    assert all(each.startswith(("file:", "data:", "about:")) for each in requests(browser))
