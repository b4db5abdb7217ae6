"""A headless Chromium that remembers every request and every line of its console."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest


def open_browser(width: int = 1280, height: int = 900) -> Any:
    """Debian's Chromium with its driver; the test is skipped where they or selenium are missing.

    The driver gives every browser a new, empty profile, and removes it.
    """
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    from selenium.webdriver.chrome.service import Service

    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not browser or not driver:
        pytest.skip("Chromium and its driver are not installed (chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--no-first-run", f"--window-size={width},{height}",
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver))


def visit(browser: Any, page: Path) -> None:
    browser.get(page.as_uri())


def requests(browser: Any) -> list[str]:
    """Every address that was asked for since the last time."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


def console(browser: Any) -> list[str]:
    return [entry["message"] for entry in browser.get_log("browser")]


def texts(browser: Any, selector: str) -> list[str]:
    """Texts as they are seen, all of one moment: the page may be about to replace its list."""
    seen = "return [...document.querySelectorAll(arguments[0])].map(each => each.innerText.trim())"
    found: list[str] = browser.execute_script(seen, selector)
    return found
