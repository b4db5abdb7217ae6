"""The report for a browser: one file that needs nothing else and makes no request.

The overview is written into the page; the task browser reads JSON blocks beside it, each parsed
when it is first needed. The page's policy allows its own script and style by their
hashes and nothing more: no request, no other script, no markup from text.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from pytest_coderobust.reporting.adoption_rows import ELIGIBLE_HEADINGS, STAGE_HEADINGS
from pytest_coderobust.reporting.edit_rows import RESTORED
from pytest_coderobust.reporting.html.evidence import BUDGET, PageEvidence, gather
from pytest_coderobust.reporting.html.grid import make_grid
from pytest_coderobust.reporting.html.safe import dump_script_json
from pytest_coderobust.reporting.html.selection import MOST, describe_selection, select_items
from pytest_coderobust.reporting.html.view import SuiteView, make_view
from pytest_coderobust.results.conclusion import SuiteReport


def render(reports: Sequence[SuiteReport], budget: int = BUDGET, most: int = MOST) -> str:
    """Renders the page of every suite.

    Args:
        budget: bytes of evidence the page may hold; broken prompts come first.
        most: items that the page may hold; of more it holds failing ones alone.
    """
    style, script = read_asset("style.css"), read_asset("script.js")
    selected = select_items(reports, most)
    gathered = _gather_all(selected, budget)
    views: list[SuiteView] = [make_view(report) for report in reports]
    grids = [make_grid(*pair) for pair in zip(selected, gathered, strict=True)]
    blocks = [chunk for evidence in gathered for chunk in evidence.chunks]
    return render_template(
        read_asset("page.html"),
        suites=views,
        restored_headings=RESTORED,
        stage_headings=("condition", *STAGE_HEADINGS[1:]),
        eligible_headings=("condition", *ELIGIBLE_HEADINGS[1:]),
        style=style,
        script=script,
        policy=write_policy(style, script),
        data=dump_script_json({"suites": grids}),
        blocks=blocks,
        left_out=list(filter(None, map(describe_selection, reports, selected))),
    )


def render_template(template: str, **values: object) -> str:
    """Renders a page, which may import the macros of `pictures.html` and `tables.html`.

    All text is escaped.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        loader=FunctionLoader(read_asset),
    )
    return environment.from_string(template).render(values)


def write_policy(style: str, script: str) -> str:
    """Writes the content security policy: these two texts, and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{hash_source(script)}'",
            f"style-src '{hash_source(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def write_style_policy(style: str) -> str:
    """Writes the content security policy: this style, and nothing else."""
    parts = ("default-src 'none'", f"style-src '{hash_source(style)}'", "img-src data:")
    return "; ".join((*parts, "base-uri 'none'", "form-action 'none'"))


def hash_source(text: str) -> str:
    """Hashes a text as a policy writes it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@lru_cache
def read_asset(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _gather_all(reports: Sequence[SuiteReport], budget: int) -> list[PageEvidence]:
    """Gathers each suite's evidence; the numbers of the blocks continue from suite to suite."""
    found: list[PageEvidence] = []
    for report in reports:
        first = sum(len(evidence.chunks) for evidence in found)
        left = budget - sum(evidence.size for evidence in found)
        found.append(gather(report, left, first))
    return found
