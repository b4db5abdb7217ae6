"""TextAttack both ways; needs the environment of `make test-textattack`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

pytest.importorskip("textattack", reason="TextAttack is not installed (make test-textattack)")

from coderobust_strategies.audit import audit, is_damaged
from coderobust_strategies.edit import apply_edits
from pytest_coderobust.attack import SEARCHES, attack_prompt, score_of
from pytest_coderobust.config.suite import read_suite
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.engine.plan import read_plan
from pytest_coderobust.engine.variants import make_variant
from pytest_coderobust.errors import UnknownName
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.session import open_session

PROMPT = (
    'def largest_gap(values):\n    """Return the largest difference between two neighbouring\n'
    '    values of the given list, or "none" below 2 values.\n    >>> largest_gap([1, 5])\n'
    '    4\n    """\n'
)


def scored(*breaking: str) -> tuple[list[str], object]:
    """A score that falls by a half for each of these words that is gone."""
    asked: list[str] = []

    def score(prompts: Sequence[str]) -> list[float]:
        asked.extend(prompts)
        return [sum(word in prompt for word in breaking) / len(breaking) for prompt in prompts]

    return asked, score


@pytest.mark.parametrize("search", SEARCHES)
def test_every_search_breaks_a_toy_with_edits_of_ours(search: str) -> None:
    asked, score = scored("neighbouring", "difference")
    found = attack_prompt(
        PROMPT, score, "C1", "C3", "W2", entry_point="largest_gap", search=search, budget=400
    )  # type: ignore[arg-type]
    assert found.status == "broken"
    assert apply_edits(PROMPT, found.edits) == found.prompt != PROMPT
    assert found.score < 1
    assert len(asked) == found.queries <= 400
    assert not audit(PROMPT, found.prompt)
    if search != "greedy-wir":  # it ranks words by asking about prompts without them
        assert not any(is_damaged(audit(PROMPT, prompt)) for prompt in asked)


def test_a_model_that_never_fails_survives_and_one_that_always_does_is_unsolved() -> None:
    _, score = scored("largest_gap")  # protected: no edit reaches it
    survived = attack_prompt(PROMPT, score, "C1", entry_point="largest_gap", budget=60)  # type: ignore[arg-type]
    assert (survived.status, survived.score) == ("survived", 1.0)
    assert survived.queries <= 60
    unsolved = attack_prompt(PROMPT, lambda prompts: [0.0] * len(prompts), "C1")
    assert (unsolved.status, unsolved.prompt, unsolved.edits) == ("unsolved", PROMPT, ())


def test_an_attack_is_the_same_for_a_seed() -> None:
    found = [
        attack_prompt(PROMPT, scored("between", "given")[1], "C", search="genetic", seed=3)  # type: ignore[arg-type]
        for _ in range(2)
    ]
    assert found[0] == found[1]


def test_an_unknown_search_is_named() -> None:
    with pytest.raises(UnknownName, match="did you mean 'greedy-wir'"):
        attack_prompt(PROMPT, scored("a")[1], "C1", search="greedy-wri")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measurement]:
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "s.toml").write_text('[suite]\ntasks = "quickstart"\nlimit = 12\n')
    with open_session(Choices(model="tiny", device="cpu", threads=1), folder) as session:
        yield session.suite(session.refer(folder / "s.toml")).single


def test_greedy_search_breaks_the_bundled_model(tiny: Measurement) -> None:
    results = []
    for task in tiny.plan.tasks.values():
        found = attack_prompt(
            task.prompt,
            score_of(tiny, task),
            "C1",
            "W2",
            entry_point=task.entry_point,
            code=task.canonical or "",
            budget=120,
        )
        results.append(found.status)
        print(task.id, found.status, found.queries, found.edits)  # noqa: T201
        if found.status == "broken":
            assert not is_damaged(audit(task.prompt, found.prompt))
            assert (
                score_of(tiny, task)([found.prompt])[0]
                < 1
                == score_of(tiny, task)([task.prompt])[0]
            )
        if results.count("broken") == 2:
            break
    assert results.count("broken") == 2


@pytest.mark.parametrize("name", ["CharSwapAugmenter", "WordSwapQWERTY", "WordInnerSwapRandom"])
def test_their_transformations_are_perturbations_of_a_suite(tmp_path: Path, name: str) -> None:
    rows = [
        {
            "task_id": f"Own/{number}",
            "prompt": PROMPT.replace("2 values", f"{number} values"),
            "entry_point": "largest_gap",
            "canonical_solution": "    return 4\n",
            "test": "def check(candidate):\n    assert candidate([1]) == 4\n",
        }
        for number in range(4)
    ]
    (tmp_path / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "s.toml"
    path.write_text(
        f'[suite]\ntasks = "tasks.jsonl"\nperturbations = ["textattack:{name}"]\nseeds = 2\n'
    )
    plans = [read_plan(read_suite(path)) for _ in range(2)]
    made = [
        [make_variant(plan, task, cell) for cell in plan.cells[1:] for task in plan.tasks.values()]
        for plan in plans
    ]
    assert made[0] == made[1]
    assert [v.skipped for v in made[0]].count("") >= 6
    assert len({v.prompt for v in made[0]}) >= 6
    for variant in made[0]:
        assert '"none"' in variant.prompt
        assert ">>> largest_gap([1, 5])\n    4\n" in variant.prompt


def test_an_unknown_transformation_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(
        '[suite]\ntasks = "quickstart"\nperturbations = ["textattack:WordSwapQWERTZ"]\n'
    )
    with pytest.raises(UnknownName, match="did you mean 'WordSwapQWERTY'"):
        read_plan(read_suite(path))
