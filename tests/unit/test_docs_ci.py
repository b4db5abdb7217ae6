"""The CI recipes name options and files that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from pytest_coderobust.session.options import OPTIONS

DOCS = Path(__file__).parents[2] / "docs"
RECIPES = sorted((DOCS / "examples").rglob("*.yml"))
SCRIPTS = sorted((DOCS / "examples").rglob("*.sh"))
PAGES = [DOCS / "ci.md", DOCS / "reports.md", DOCS / "shards.md"]


@pytest.mark.parametrize(
    "path",
    [*(p for p in RECIPES if p.name != "workflow.yml"), *SCRIPTS, *PAGES],
    ids=lambda path: path.name,
)
def test_every_option_exists(path: Path) -> None:
    known = {f"--coderobust-{option.name}" for option in OPTIONS}
    used = set(re.findall(r"--coderobust-[a-z-]+", path.read_text(encoding="utf-8")))
    assert used
    assert used <= known


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_recipe_is_yaml_that_runs_pytest(path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    found = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    assert all(isinstance(each, dict) for each in found)
    if path.name != "workflow.yml":
        assert re.search(r"python -m pytest|pytest suites", str(found))
    assert "${{ inputs" not in "".join(re.findall(r"run: .*", path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_script_is_one_that_a_shell_reads(path: Path) -> None:
    subprocess.run(["sh", "-n", str(path)], check=True)


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (DOCS / target).exists(), (page.name, target)
