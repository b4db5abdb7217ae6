from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.metrics_runs import Outcome, suite_run

from pytest_coderobust.errors import UsageError
from pytest_coderobust.metrics.condition import ConditionSummary, Scores
from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.metrics.summary import summarise
from pytest_coderobust.records import SuiteRun

TABLE: dict[str, dict[str, Outcome]] = {
    "T/0": {"clean": 1, "C1-s0": 1, "C1-s1": 1, "C2-s0": 0, "C2-s1": 1, "W1-s0": 1},
    "T/1": {"clean": 1, "C1-s0": 1, "C1-s1": 0, "C2-s0": 0, "C2-s1": 0, "W1-s0": 1},
    "T/2": {"clean": 0, "C1-s0": 0, "C1-s1": 1, "C2-s0": 0, "C2-s1": 0, "W1-s0": 0},
    "T/3": {"clean": 1, "C1-s0": 1, "C1-s1": "skip", "C2-s0": 1, "C2-s1": 1, "W1-s0": "skip"},
}
LEVELS = {"C1": "character", "C2": "character", "W1": "word"}


def condition(run: SuiteRun, name: str) -> ConditionSummary:
    found = summarise(run).condition(name)
    assert found is not None
    return found


def scores(run: SuiteRun, name: str, k: int = 1) -> Scores:
    return condition(run, name).scores[k]


def value(found: Estimate | None) -> float:
    assert found is not None
    return found.value


def test_conditions_come_clean_first_then_perturbations_levels_and_all() -> None:
    summary = summarise(suite_run(TABLE, levels=LEVELS))
    names = [found.name for found in summary.conditions]
    assert names == ["clean", "C1", "C2", "W1", "character", "word", "all"]
    assert [found.variants for found in summary.conditions] == [1, 2, 2, 1, 4, 1, 5]
    assert summary.conditions[4].members == ("C1", "C2")


def test_clean_is_the_share_of_tasks_that_pass() -> None:
    clean = condition(suite_run(TABLE, levels=LEVELS), "clean")
    assert value(clean.scores[1].pass_at_k) == 0.75
    assert (clean.tasks, clean.solved, clean.unsolved) == (4, 3, 1)
    assert clean.scores[1].rd is None


def test_rd_averages_seeds_within_a_task_and_keeps_a_task_with_one_seed_left() -> None:
    # C1: tasks 1, 1/2, 1/2, 1 (T/3 by its only measured seed): 3/4 against 3/4.
    found = scores(suite_run(TABLE, levels=LEVELS), "C1")
    assert value(found.pass_at_k) == 0.75
    assert value(found.rd) == 0.0
    assert value(found.robust_pass) == 0.5
    assert value(found.robust_drop) == pytest.approx(1 / 3)
    assert value(found.robust_relative) == 0.5


def test_task_without_any_measured_variant_leaves_both_sides() -> None:
    # W1 skips T/3, a solved task: 2 of 3 clean and perturbed, so RD is 0, not 1/9.
    found = scores(suite_run(TABLE, levels=LEVELS), "W1")
    assert found.clean == pytest.approx(2 / 3)
    assert value(found.rd) == 0.0
    assert condition(suite_run(TABLE, levels=LEVELS), "W1").tasks == 3


def test_level_pools_perturbations_and_seeds_within_a_task() -> None:
    # character: 3/4, 1/4, 1/4, 3/3 over four, four, four and three variants.
    found = scores(suite_run(TABLE, levels=LEVELS), "character")
    assert value(found.pass_at_k) == pytest.approx((3 / 4 + 1 / 4 + 1 / 4 + 1) / 4)
    assert value(found.rd) == pytest.approx((0.75 - 0.5625) / 0.75)
    assert value(found.robust_pass) == 0.25


def test_statuses_and_skips_are_counted_by_item() -> None:
    found = condition(suite_run(TABLE, levels=LEVELS), "C1")
    assert (found.robust, found.broken, found.unsolved, found.skipped) == (4, 1, 2, 1)
    assert found.items == 7
    everything = condition(suite_run(TABLE, levels=LEVELS), "all")
    assert everything.robust + everything.broken + everything.unsolved == everything.items == 18
    assert summarise(suite_run(TABLE, levels=LEVELS)).skipped == (("no eligible site", 2),)


def test_unusable_task_is_in_no_metric_and_named() -> None:
    table = {**TABLE, "T/9": dict.fromkeys(TABLE["T/0"], "unusable")}
    with_it = summarise(suite_run(table, levels=LEVELS))
    without = summarise(suite_run(TABLE, levels=LEVELS))
    assert with_it.unusable == (("T/9", "its canonical solution fails"),)
    assert with_it.conditions == without.conditions
    assert not with_it.incomplete


def test_unchecked_task_is_measured_and_named() -> None:
    run = suite_run(TABLE, levels=LEVELS)
    observations = tuple(replace(o, checked=o.task_id != "T/2") for o in run.observations)
    summary = summarise(replace(run, observations=observations))
    assert summary.unchecked == ("T/2",)
    assert summary.conditions == summarise(run).conditions


def test_truncated_completions_are_counted() -> None:
    run = suite_run(TABLE, levels=LEVELS)
    observations = tuple(
        replace(o, truncated=int(o.measured and o.cell.label == "C1-s0")) for o in run.observations
    )
    summary = summarise(replace(run, observations=observations))
    assert summary.truncated == 4
    assert [c.truncated for c in summary.conditions] == [0, 4, 0, 0, 4, 0, 4]
    assert summary.completions == 4 + 7 + 8 + 3


def test_pass_at_k_of_a_task_is_averaged_over_its_variants() -> None:
    table: dict[str, dict[str, Outcome]] = {
        "T/0": {"clean": 2, "C1-s0": 0, "C1-s1": 2},
        "T/1": {"clean": 4, "C1-s0": 1, "C1-s1": 1},
    }
    run = suite_run(table, n=4, ks=(1, 2))
    # pass@2 of 2 of 4 is 1 - 1/6, of 1 of 4 is 1/2.
    assert value(scores(run, "clean", 2).pass_at_k) == pytest.approx((5 / 6 + 1) / 2)
    assert value(scores(run, "C1", 2).pass_at_k) == pytest.approx((5 / 12 + 1 / 2) / 2)
    assert value(scores(run, "C1", 2).robust_pass) == pytest.approx(1 / 4)
    assert value(scores(run, "C1", 1).rd) == pytest.approx((0.75 - 0.25) / 0.75)


def test_run_of_variants_only_measures_their_clean_prompts_too() -> None:
    run = suite_run(TABLE, levels=LEVELS)
    only = tuple(o for o in run.observations if o.cell.perturbation == "W1")
    summary = summarise(replace(run, observations=only))
    clean = summary.condition("clean")
    assert clean is not None
    assert clean.tasks == 3
    assert value(clean.scores[1].pass_at_k) == pytest.approx(2 / 3)
    assert summary.conditions[3] == condition(run, "W1")


def test_missing_observations_make_the_run_partial_even_when_it_says_nothing() -> None:
    run = suite_run(TABLE, levels=LEVELS)
    assert summarise(run).incomplete == ""
    summary = summarise(replace(run, observations=run.observations[1:]))
    assert summary.incomplete == "1 of 24 items not measured"


def test_reason_of_a_partial_run_is_kept() -> None:
    assert summarise(suite_run(TABLE, incomplete="deselected")).incomplete == "deselected"


def test_perturbation_named_like_a_level_keeps_the_name() -> None:
    run = suite_run(
        {"T/0": {"clean": 1, "word-s0": 1, "W1-s0": 0}}, levels={"word": "mixed", "W1": "word"}
    )
    kinds = [(found.name, found.kind) for found in summarise(run).conditions]
    assert kinds == [
        ("clean", "clean"),
        ("word", "perturbation"),
        ("W1", "perturbation"),
        ("mixed", "level"),
        ("all", "all"),
    ]


def test_perturbation_named_all_keeps_the_name() -> None:
    run = suite_run({"T/0": {"clean": 1, "all-s0": 1, "C1-s0": 0}})
    kinds = [(found.name, found.kind) for found in summarise(run).conditions]
    assert kinds[1:] == [("all", "perturbation"), ("C1", "perturbation"), ("character", "level")]


def test_clean_only_suite_has_one_condition() -> None:
    summary = summarise(suite_run({"T/0": {"clean": 1}}))
    assert [found.name for found in summary.conditions] == ["clean"]


def test_planned_but_wholly_skipped_perturbation_has_no_rates() -> None:
    run = suite_run({"T/0": {"clean": 1, "C1-s0": "skip"}})
    found = condition(run, "C1")
    assert (found.tasks, found.items, found.skipped) == (0, 0, 1)
    assert found.scores[1] == Scores(1, None)


def test_k_above_the_samples_is_refused() -> None:
    with pytest.raises(UsageError, match="pass@2 needs at least 2 samples"):
        summarise(suite_run(TABLE, ks=(1, 2)))


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "clean": st.integers(0, 5),
                **{
                    label: st.one_of(st.integers(0, 5), st.just("skip"))
                    for label in ("C1-s0", "C1-s1", "W1-s0")
                },
            }
        ),
        min_size=1,
        max_size=8,
    ),
    st.randoms(),
)
def test_summary_does_not_depend_on_the_order_of_observations(
    rows: list[dict[str, Outcome]], rnd: object
) -> None:
    assert isinstance(rnd, random.Random)
    run = suite_run({f"T/{i}": row for i, row in enumerate(rows)}, n=5, ks=(1, 3))
    shuffled = tuple(rnd.sample(run.observations, len(run.observations)))
    assert summarise(replace(run, observations=shuffled)) == summarise(run)
