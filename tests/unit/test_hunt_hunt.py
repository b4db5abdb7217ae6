"""Hunts against models that read their prompts, through the real engine and sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from support.hunt_model import Reader, open_measurement, write_suite

from coderobust_strategies import Edit, apply_edits
from pytest_coderobust.engine.budget import Budget, parse_budget
from pytest_coderobust.engine.events import Event, HuntAdvanced, HuntDone, HuntStarted
from pytest_coderobust.errors import UsageError
from pytest_coderobust.hunting.candidates import draw_rounds, estimate_damage
from pytest_coderobust.hunting.failure import Failure, to_json
from pytest_coderobust.hunting.hunt import Hunt, Hunted
from pytest_coderobust.hunting.panel import Confirm
from pytest_coderobust.records import Cell, Observation, Status

SAMPLED = "[sampling]\ntemperature = 0.8\n"


def hunt(
    suite: Path,
    model: Reader,
    *,
    names: Sequence[str] = ("mix_all",),
    budget: Budget | None = None,
    confirm: Confirm | None = None,
    known: Sequence[Failure] = (),
    events: list[Event] | None = None,
) -> list[Hunted]:
    listen = (events if events is not None else []).append
    with open_measurement(suite, model, listen) as (made, ledger):
        found = Hunt(
            made, ledger, "toy.toml", tuple(names), budget or Budget(), confirm or Confirm(),
            reproduce=lambda task: f"again {task}", listen=listen,
        )  # fmt: skip
        return list(found.run(list(made.plan.tasks.values()), known))


def needs(*words: str) -> Reader:
    """Fails as soon as all of these words are altered."""
    return Reader(lambda prompt: float(not any(word in prompt for word in words)), "-".join(words))


def test_one_word_that_matters_is_all_that_is_left(tmp_path: Path) -> None:
    suite = write_suite(tmp_path)
    (hunted,) = hunt(suite, needs("negative"))
    failure = hunted.failure
    assert failure is not None
    (edit,) = failure.edits
    start = failure.clean.prompt.index("negative")
    assert start <= edit.start <= edit.stop <= start + len("negative")
    assert edit.kind == "case"
    assert failure.minimal
    assert failure.broken.prompt == apply_edits(failure.clean.prompt, failure.edits)
    assert failure.broken.passing == 0
    assert failure.clean.passing == 1
    assert failure.reproduce == "again Toy/0"
    assert hunted.spent.completions <= 60
    assert set(failure.edits) != set(failure.first_edits)


def test_two_words_that_matter_together_are_both_left(tmp_path: Path) -> None:
    (hunted,) = hunt(write_suite(tmp_path), needs("negative", "list"))
    assert hunted.failure is not None
    prompt = hunted.failure.clean.prompt
    words = [prompt[: edit.start].count(" ") for edit in hunted.failure.edits]
    assert len(words) == 2
    assert {prompt.split(" ")[place].strip(",.") for place in words} == {"negative", "list"}


def test_endings_say_why_there_is_nothing(tmp_path: Path) -> None:
    suite = write_suite(tmp_path)
    never = Reader(lambda _: 0.0, "never")
    assert hunt(suite, never, names=["S2"], budget=Budget(500))[0].ending == "robust"
    assert hunt(suite, Reader(lambda _: 1.0, "always"))[0].ending == "unsolved"
    (spent,) = hunt(suite, Reader(lambda _: 0.0, "never"), budget=Budget(each=20))
    assert spent.ending == "budget"
    assert spent.spent.completions <= 20
    (late,) = hunt(suite, needs("negative"), budget=Budget(seconds=-1.0))
    assert (late.ending, late.spent.completions) == ("budget", 0)


def test_a_budget_that_ends_early_keeps_what_fails_and_says_it_is_not_minimal(
    tmp_path: Path,
) -> None:
    model = needs("negative", "list")
    whole = hunt(write_suite(tmp_path), model)[0]
    cut = hunt(write_suite(tmp_path), model, budget=Budget(whole.spent.completions - 1))[0]
    assert whole.failure is not None
    assert whole.failure.minimal
    assert cut.failure is not None
    assert cut.spent.completions < whole.spent.completions
    assert cut.failure.broken.passing == 0


def test_the_budget_of_all_tasks_is_kept(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, [f"total{index}" for index in range(6)])
    hunted = hunt(suite, Reader(lambda _: 0.0, "never"), budget=Budget(completions=40))
    assert sum(each.spent.completions for each in hunted) <= 40
    assert {each.ending for each in hunted} == {"budget"}


def test_tasks_share_batches_and_progress_is_told(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, [f"total{index}" for index in range(5)])
    model, events = needs("negative"), list[Event]()
    hunted = hunt(suite, model, events=events)
    assert len(hunted) == 5
    rounds_ = max(each.spent.batches for each in hunted)
    assert len(model.batches) <= 2 * rounds_ < sum(each.spent.batches for each in hunted)
    assert events[0] == HuntStarted("toy", 5)
    assert isinstance(events[-2], HuntAdvanced)
    assert (events[-2].done, events[-2].found) == (5, 5)
    assert events[-1] == HuntDone()


def test_the_same_hunt_finds_the_same_with_and_without_a_ledger(tmp_path: Path) -> None:
    model = needs("negative", "list")
    first = hunt(write_suite(tmp_path), model)
    (tmp_path / "again").mkdir()
    fresh = hunt(write_suite(tmp_path / "again"), model)
    records = [
        [to_json(each.failure) for each in found if each.failure] for found in (first, fresh)
    ]
    assert records[0] == records[1] != []


def test_a_known_failure_is_tried_first_and_nothing_else(tmp_path: Path) -> None:
    suite, model = write_suite(tmp_path), needs("negative")
    (first,) = hunt(suite, model)
    assert first.failure is not None
    (again,) = hunt(suite, model, known=[first.failure])
    assert again.replayed == ((first.failure, True),)
    assert again.failure is not None
    assert again.failure.edits == first.failure.edits
    assert again.spent.completions <= 3


def test_a_known_failure_that_is_fixed_is_told_and_the_search_goes_on(tmp_path: Path) -> None:
    suite = write_suite(tmp_path)
    (first,) = hunt(suite, needs("negative"))
    assert first.failure is not None
    other = replace(first.failure, clean=replace(first.failure.clean, prompt="another text"))
    better = Reader(lambda prompt: float(" add " not in prompt), "better")
    (again,) = hunt(suite, better, known=[first.failure, other])
    assert again.replayed == ((first.failure, False),)
    assert again.failure is not None
    assert " add " not in again.failure.broken.prompt


def test_a_sampling_model_needs_k_of_n_and_a_confirmation(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, sections=SAMPLED)
    shaky = Reader(lambda prompt: 0.05 if "negative" in prompt else 0.9, "shaky")
    (hunted,) = hunt(suite, shaky, confirm=Confirm(3, 5), budget=Budget(2000))
    assert hunted.failure is not None
    votes = hunted.failure.votes
    assert (votes.failed >= 3, votes.of <= 5) == (True, True)
    assert "negative" not in hunted.failure.broken.prompt
    assert len(hunted.failure.edits) == 1
    assert len(hunted.failure.broken.completions) == votes.of


def test_noise_alone_is_no_failure(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, ["total", "other"], SAMPLED)
    noisy = Reader(lambda _: 0.25, "noisy")
    endings = {
        each.ending for each in hunt(suite, noisy, confirm=Confirm(5, 5), budget=Budget(150))
    }
    assert "found" not in endings


def test_the_most_damaging_perturbation_of_earlier_runs_comes_first(tmp_path: Path) -> None:
    suite = write_suite(tmp_path)
    seen = [
        Observation("a", Cell(name, seed), status)
        for name, status in (("C1", Status.ROBUST), ("C2", Status.BROKEN))
        for seed in range(8)
    ] + [Observation("a", Cell("mix_all", 0), Status.BROKEN, member="C3")]
    weights = estimate_damage(seen)
    assert weights == {"C1": 1 / 10, "C2": 9 / 10, "C3": 2 / 3}
    with open_measurement(suite, Reader(lambda _: 0.0)) as (made, _):
        (task,) = made.plan.tasks.values()
        turn = next(draw_rounds(made.plan, task, ("C1", "C2", "C3"), weights))
    names = [each.cell.perturbation for each in turn]
    assert names[0] == "C2"
    assert names.count("C2") > names.count("C3") > names.count("C1")


def test_what_a_hunt_saw_orders_the_next_one_and_is_in_no_report(tmp_path: Path) -> None:
    suite = write_suite(tmp_path)
    model = needs("negative")
    hunt(suite, model)
    with open_measurement(suite, model) as (made, ledger):
        assert ledger.observations(made.run) == ()
        assert estimate_damage(ledger.squares.read_of("toy"))


def test_models_that_answer_squares_and_unknown_names_are_refused(tmp_path: Path) -> None:
    suite = write_suite(tmp_path)
    with pytest.raises(UsageError, match="answers by task and perturbation"):
        hunt(suite, Reader(lambda _: 0.0, keyed_by="variant"))
    with pytest.raises(UsageError, match="expected 1 <= k <= n"):
        Confirm(3, 2)


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("30m", Budget(200, None, 1800.0)),
        ("90s", Budget(200, None, 90.0)),
        ("1.5h", Budget(200, None, 5400.0)),
        ("5000", Budget(200, 5000, None)),
        ("5000, 2h", Budget(200, 5000, 7200.0)),
        ("5usd", Budget(200, money=5.0)),
        ("0.25USD,30m", Budget(200, None, 1800.0, money=0.25)),
        ("2Mtok", Budget(200, tokens=2_000_000)),
        ("500ktok,800tok", Budget(200, tokens=800)),
        ("1.5mtok", Budget(200, tokens=1_500_000)),
    ],
)
def test_budgets_read_as_users_write_them(text: str, budget: Budget) -> None:
    assert parse_budget(text) == budget


@pytest.mark.parametrize(
    "text", ["", "0", "-3", "ten", "30 minutes", "3m4", "5eur", "usd", "2Mtoken", "-5usd"]
)
def test_a_budget_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"must be a time .*, or several by commas \(5000,2h\)"):
        parse_budget(text)


def test_edits_that_touch_are_never_combined(tmp_path: Path) -> None:
    (hunted,) = hunt(write_suite(tmp_path), needs("negative", "found"))
    assert hunted.failure is not None
    edits: list[Edit] = sorted(hunted.failure.edits)
    assert all(a.stop <= b.start for a, b in pairwise(edits))
