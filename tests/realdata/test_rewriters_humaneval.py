"""Rewriters on HumanEval: what they damage is counted, what they change is printed beside ReCode's."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from statistics import median

import pytest
from support.strategies_data import rows, show

from coderobust_strategies.prompt.anatomy import dissect
from coderobust_strategies.word_count import count_changed_words
from pytest_coderobust.config.perturbations import Perturbing
from pytest_coderobust.config.rewriters import Rewriters, parse_rewriter
from pytest_coderobust.config.suite import SuiteConfig
from pytest_coderobust.engine.plan import Plan, read_plan
from pytest_coderobust.engine.variants import make_variant, prepare
from pytest_coderobust.records import Variant


def plan(rewriter: str) -> Plan:
    spec = parse_rewriter(rewriter)
    assert spec is not None
    perturbing = Perturbing(damaged="keep", rewriters=Rewriters({"S1": spec}))
    return read_plan(
        SuiteConfig(
            path=Path.cwd(), name="s1", tasks="humaneval", perturbations=("S1",),
            perturbing=perturbing,
        )
    )  # fmt: skip


def figures(made: list[Variant], name: str) -> Counter[str]:
    """Prints damage and the median share of eligible words changed in doctest tasks."""
    found = Counter(variant.skipped or variant.damage or "undamaged" for variant in made)
    shares: list[float] = []
    for variant in made:
        task = variant.task
        if ">>>" in task.prompt and not variant.skipped:
            anatomy = dissect(task.prompt, task.entry_point, task.canonical or "")
            shares.append(count_changed_words(anatomy, variant.prompt).share)
    show(f"S1 by {name}: {dict(found)}; median share changed {median(shares):.3f}")
    return found


def variants(made: Plan) -> list[Variant]:
    cell = made.cells[1]
    prepare(made, ((task, cell) for task in made.tasks))
    return [make_variant(made, task, cell) for task in made.tasks.values()]


@pytest.mark.usefixtures("data")
def test_apertium_damages_no_prompt_of_humaneval() -> None:
    if shutil.which("apertium") is None:
        pytest.skip("Apertium is not installed (apt install apertium-eng-spa)")
    found = figures(variants(plan("apertium")), "apertium")
    assert found["undamaged"] >= 150
    assert found.total() == 164
    assert found["undamaged"] + found["the rewriter changed nothing"] == 164


def test_recodes_rows_of_s1_are_audited_and_its_damage_counted(data: Path) -> None:
    file = data / "recode" / "humaneval" / "humaneval_BackTranslation_s0.jsonl.gz"
    found = figures(variants(plan(f"rows:{file}")), "ReCode's rows")
    unchanged = sum(
        row["prompt"] == clean["prompt"]
        for row, clean in zip(
            rows(file), rows(data / "humaneval" / "HumanEval.jsonl.gz"), strict=True
        )
    )
    assert found["the rewriter changed nothing"] == unchanged == 62
    assert found["parse"] == 28  # as an independent auditor counts them
    assert found.total() - found["undamaged"] - unchanged == 40
