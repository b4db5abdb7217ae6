"""The page of a real run, of a model that was edited, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Project
from support.page_driver import console, open_browser, requests, texts, visit


def wait_for(browser: Any, script: str) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, 20).until(lambda b: b.execute_script(f"return {script}"))


@pytest.mark.slow
def test_page_of_the_bundled_model_after_creme(project: Project) -> None:
    browser = open_browser()
    try:
        (project.path / "quick.toml").write_text(
            '[suite]\ntasks = "quickstart"\nperturbations = ["mix_all"]\n'
            'gates = ["pass@1 >= 0.8"]\n[sampling]\nmax_new_tokens = 128\n'
        )
        result = project.run(
            "quick.toml", "--model=tiny", "--edit=creme", "--coderobust-html=out.html",
            "--coderobust-json=out.json",
        )  # fmt: skip
        assert result.ret == 0
        page = project.path / "out.html"
        visit(browser, page)
        items = project.json()["items"]
        assert isinstance(items, list)
        check_filters(browser, items)
        check_task(browser)
        assert texts(browser, ".gate .outcome") == ["holds"]
        assert "Edit: creme" in texts(browser, "h3")
        assert texts(browser, ".layers th")[0].startswith("layer ")
        for width in (1280, 390):
            override = {
                "width": width,
                "height": 844,
                "deviceScaleFactor": 1,
                "mobile": width < 500,
            }
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", override)
            wait_for(browser, "document.documentElement.scrollWidth <= innerWidth")
        assert console(browser) == []
        assert set(requests(browser)) <= {page.as_uri(), "data:,"}
    finally:
        browser.quit()


def check_filters(browser: Any, items: list[dict[str, Any]]) -> None:
    """Each status by itself lists as many items as the JSON document has."""
    for letter, status in zip(
        "brsuk", ("broken", "robust", "solved", "unsolved", "skipped"), strict=True
    ):
        for box in browser.find_elements("css selector", "#f-status input:checked"):
            box.click()
        browser.find_element("css selector", f"#f-status input[value={letter}]").click()
        count = sum(item["status"] == status for item in items)
        wait_for(browser, f"document.querySelector('#count').textContent.startsWith('{count} of {len(items)} ')")  # fmt: skip
    browser.find_element("css selector", "#filters button[type=reset]").click()
    browser.find_element("css selector", ".tile").click()
    broken = sum(item["status"] == "broken" for item in items)
    wait_for(browser, f"document.querySelector('#count').textContent.startsWith('{broken} of ')")


def check_task(browser: Any) -> None:
    """A broken task, opened by keyboard alone, shows its diff and both completions."""
    from selenium.webdriver.common.keys import Keys

    browser.find_element("css selector", ".item").send_keys(Keys.ENTER)
    wait_for(browser, "document.querySelectorAll('#detail pre').length >= 3")
    assert texts(browser, "#detail ins, #detail del")
