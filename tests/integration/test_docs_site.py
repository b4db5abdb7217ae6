"""The documentation site: it builds without a warning, and works from a folder without a network."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from support.page_driver import open_browser, requests

pytest.importorskip("mkdocs")
pytest.importorskip("material")
ROOT = Path(__file__).parents[2]


class QuietHandler(SimpleHTTPRequestHandler):
    """A server of files that logs nothing."""

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    words = ["build", "--strict", "--quiet", "--site-dir", str(folder)]
    ran = subprocess.run(
        [sys.executable, "-m", "mkdocs", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    told = [
        line for line in ran.stderr.splitlines() if re.search(r"^(?:WARNING|ERROR|Aborted)", line)
    ]
    assert (ran.returncode, told) == (0, []), ran.stderr
    return folder


def test_every_page_is_in_the_site(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    assert pages
    assert {page for page in pages if not (site / page.with_suffix(".html")).is_file()} == set()


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loads = re.compile(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=\"?(https?:[^\"> ]+)")
    for page in site.rglob("*.html"):
        assert loads.findall(page.read_text(encoding="utf-8")) == [], page
    assert (site / "search").is_dir()


def test_the_search_needs_no_other_host(site: Path) -> None:
    handler = partial(QuietHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        browser = open_browser()
        try:
            check_search(browser, address)
        finally:
            browser.quit()
            server.shutdown()


def test_the_search_works_from_a_folder(site: Path) -> None:
    browser = open_browser()
    try:
        check_search(browser, f"{site.as_uri()}/")
        check_search(browser, f"{site.as_uri()}/", page="tutorial/first-suite.html")
    finally:
        browser.quit()


def check_search(browser: Any, address: str, page: str = "index.html") -> None:
    """The search of a page finds what another one tells, and asks for the site's own files alone."""
    browser.get(f"{address}{page}?q=smallest+prompt")
    wait = import_module("selenium.webdriver.support.ui").WebDriverWait(browser, 60)
    found = wait.until(lambda each: each.find_elements("css selector", "a.md-search-result__link"))
    links = [each.get_attribute("href") for each in found]
    assert any(link.startswith(f"{address}hunt.html") for link in links)
    assert {asked.startswith((address, "data:")) for asked in requests(browser)} == {True}
