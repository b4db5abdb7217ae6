"""The Python page's blocks run as they stand, one after the other, and in a notebook."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_coderobust import SuiteResult

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.M | re.S)


def run_blocks(folder: Path, blocks: list[str]) -> dict[str, object]:
    """Runs blocks in one namespace, in a folder; returns the names they made."""
    pytest.importorskip("pandas", reason="pandas is not installed")
    found: dict[str, object] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in blocks:
            exec(compile(block, "docs/python.md", "exec"), found)
    return found


def test_the_first_blocks_run(tmp_path: Path) -> None:
    short = [block.replace("limit=20", "limit=3") for block in BLOCKS[:2]]
    assert short[0] != BLOCKS[0]
    found = run_blocks(tmp_path, short)
    result = found["result"]
    assert isinstance(result, SuiteResult)
    assert result.metrics["C3"]["n"] == 3
    assert (tmp_path / "report.html").stat().st_size > 10_000


@pytest.mark.slow
def test_every_block_runs(tmp_path: Path) -> None:
    found = run_blocks(tmp_path, BLOCKS)
    assert len(BLOCKS) == 5
    assert found["found"].verdict in ("regressed", "not worse", "inconclusive")  # type: ignore[attr-defined]
    assert "edits" in found["result"].conclusion.run.model.facts  # type: ignore[attr-defined]
    assert found["hunted"].failure.broken.prompt  # type: ignore[attr-defined]
    assert found["verdict"].full  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_notebook_shows_a_table_and_a_picture_from_one_cell(tmp_path: Path) -> None:
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed (group notebook)")
    pytest.importorskip("ipykernel", reason="ipykernel, the notebook's Python, is not installed")
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    cell = nbformat.v4.new_code_cell(BLOCKS[0])
    book = nbformat.v4.new_notebook(cells=[cell])
    client = nbclient.NotebookClient(
        book, timeout=600, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    (shown,) = (output for output in cell["outputs"] if output["output_type"] == "execute_result")
    page = shown["data"]["text/html"]
    assert "<table>" in page
    assert '<img alt="pass@1, clean to perturbed: C1 ' in page
    assert "<td>C3</td>" in page
    assert shown["data"]["text/plain"].startswith("<SuiteResult 'quickstart' on 'tiny'")
