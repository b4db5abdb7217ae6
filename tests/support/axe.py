"""Axe-core, the checker of accessibility, from where npm puts it; it is not part of this project."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@cache
def find_axe() -> Path | None:
    """The file that AXE_CORE names, or that of `npm install axe-core` in the project's root."""
    named = os.environ.get("AXE_CORE", "")
    places = [Path(named)] if named else []
    places += [ROOT / "node_modules" / "axe-core" / "axe.min.js"]
    return next((place for place in places if place.is_file()), None)


def list_violations(browser: Any) -> list[str]:
    """Each violation of level A or AA on the page that is open: the rule, and where.

    The test is skipped where axe-core is missing.
    """
    axe = find_axe()
    if axe is None:
        pytest.skip("axe-core is not installed (npm install --no-save axe-core, or AXE_CORE=FILE)")
    if not browser.execute_script("return typeof axe === 'object'"):
        browser.execute_script(axe.read_text(encoding="utf-8"))
    found = browser.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run(document, {runOnly: {type: 'tag', values: arguments[0]}})"
        ".then((r) => done({passes: r.passes.length, violations: r.violations}),"
        " (error) => done({error: String(error)}));",
        TAGS,
    )
    assert "error" not in found, found["error"]
    assert found["passes"] > 10  # it did look
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
