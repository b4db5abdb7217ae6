"""The baseline's verdicts on the bundled model: weakened it regressed, sampled anew it did not."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Project
from support.weakened import weakened

SUITE = """[suite]
tasks = "quickstart"
[sampling]
n = 2
temperature = 0.8
seed = {seed}
max_new_tokens = 96
"""


def compared(project: Project, model: str, seed: int, *words: str) -> dict[str, Any]:
    """The comparison of a run that begins with a fresh ledger."""
    (project.path / "quick.toml").write_text(SUITE.format(seed=seed))
    (project.path / "ledger.sqlite").unlink(missing_ok=True)
    project.run(
        "quick.toml", f"--model={model}", "--baseline=base.jsonl", "--coderobust-json=out.json",
        "--coderobust-ledger=ledger.sqlite", *words,
    )  # fmt: skip
    found = project.json()["comparison"]
    return found if isinstance(found, dict) else {}


@pytest.mark.slow
def test_three_weakened_models_regressed_and_three_other_samplings_are_not_worse(
    project: Project,
) -> None:
    compared(project, "tiny", 0, "--update-baseline")
    for seed in (1, 2, 3):
        found = compared(project, "tiny", seed)
        assert (found["verdict"], found["margin"]) == ("not worse", 0.05)
        deciding = [change for change in found["changes"] if change["decides"]]
        # So many tasks and samples can conclude at the margin: they would see a smaller loss.
        assert max(change["detectable"] for change in deciding) < 0.05
    for seed in (1, 2, 3):
        model = weakened(project.path / f"weak{seed}", seed)
        assert compared(project, f"./{model.name}", 0)["verdict"] == "regressed"
