"""Requests of a study in each form, and decisions in the tokens of real tokenizers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_coderobust.config.settings import Settings
from pytest_coderobust.editors.parting import split_parting
from pytest_coderobust.editors.request import Parting
from pytest_coderobust.engine.study.arms import StudyArm, read_arms
from pytest_coderobust.engine.study.material import MigratedTask
from pytest_coderobust.engine.study.requests import (
    EditTexts,
    RequestSource,
    choose_wrong,
    find_parting,
    plan_requests,
)
from pytest_coderobust.records import ApiChange, Task, Tests
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.models import open_tokenizer

PROMPT = "import math\n\ndef f(x):\n"
OLD = "    y = x + 1\n    return math.sqrt(y) + math.sqrt(1)\n"
NEW = OLD.replace("sqrt(", "square_root(")
CHANGE = ApiChange("math.sqrt", "math.square_root")
TASK = Task("Toy/0", PROMPT, "f", Tests("", "asserts"), NEW, api_changes=(CHANGE,))
MIGRATED = MigratedTask(TASK, CHANGE, OLD)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return open_tokenizer(Choices(model="tiny"), Settings())


def arm(text: str) -> StudyArm:
    return read_arms([text, "lora"], "auto", "--arms")[1]


def test_a_solution_is_the_rewritten_one() -> None:
    (request,) = plan_requests(arm("lora"), CHANGE, [MIGRATED], RequestSource()).requests
    assert (request.clean, request.perturbed, request.target) == (PROMPT, PROMPT, NEW)
    assert request.label == "Toy/0[math.sqrt-s0]"
    assert request.states_target


def test_an_answer_of_the_models_own_is_rewritten() -> None:
    own = "    return math.sqrt(x + 1) + 1.0\n"
    source = RequestSource(own={"Toy/0": own})
    (request,) = plan_requests(arm("lora:form=own"), CHANGE, [MIGRATED], source).requests
    assert request.target == "    return math.square_root(x + 1) + 1.0\n"
    none = plan_requests(arm("lora:form=own"), CHANGE, [MIGRATED], RequestSource())
    assert none.reason == "no answer of the model's own to Toy/0 uses math.sqrt and passes"


def test_a_wrong_change_teaches_another_apis_name() -> None:
    others = [CHANGE, ApiChange("len", "length_of"), ApiChange("sum")]
    wrong = choose_wrong(others)
    assert wrong == {"math.sqrt": "length_of", "len": "math.square_root"}
    source = RequestSource(wrong=wrong)
    (request,) = plan_requests(arm("wrong-change"), CHANGE, [MIGRATED], source).requests
    assert request.target == OLD.replace("math.sqrt(", "length_of(")
    alone = plan_requests(
        arm("wrong-change"), CHANGE, [MIGRATED], RequestSource(wrong=choose_wrong(others[:1]))
    )
    assert "needs another change" in alone.reason


def test_removed_apis_and_missing_tasks_have_a_reason() -> None:
    removed = plan_requests(arm("lora"), ApiChange("math.sqrt"), [MIGRATED], RequestSource())
    assert removed.reason == "math.sqrt was removed, and nothing takes its place"
    assert "no reliability task" in plan_requests(arm("lora"), CHANGE, [], RequestSource()).reason
    untold = MigratedTask(TASK, CHANGE)
    assert (
        "canonical_before" in plan_requests(arm("rome"), CHANGE, [untold], RequestSource()).reason
    )


def test_the_most_requests_of_an_edit_are_kept() -> None:
    found = plan_requests(arm("lora"), CHANGE, [MIGRATED] * 4, RequestSource(most=3))
    assert len(found.requests) == 3


def test_a_parting_goes_through_the_bracket_of_the_first_use(tokenizer: Any) -> None:
    parting = find_parting(EditTexts(OLD, NEW))
    assert NEW[: parting.end] == "    y = x + 1\n    return math.square_root("
    before, target = split_parting(parting, tokenizer)
    assert (
        tokenizer.decode(before)
        == "    y = x + 1\n    return math.s"[: len(tokenizer.decode(before))]
    )
    assert tokenizer.decode([*before, *target]).startswith(NEW[: parting.end])
    assert tokenizer.decode([*before, *target[:-1]]) != NEW[: parting.end]


def test_a_name_that_is_handed_on_ends_the_parting(tokenizer: Any) -> None:
    old, new = "    return map(len, x)\n", "    return map(length_of, x)\n"
    parting = find_parting(EditTexts(old, new))
    assert new[: parting.end] == "    return map(length_of"


NAMES = st.from_regex(r"[a-z]{1,6}(_[a-z]{1,6})?", fullmatch=True)


@settings(max_examples=40)
@given(
    NAMES,
    NAMES,
    st.sampled_from(
        [
            "    return {}(x)\n",
            "\tif x:\n\t\treturn [{}(y) for y in x]\n",
            "    from math import {}\n    return 1\n",
        ]
    ),
)
def test_ids_of_a_parting_are_those_of_the_new_answer(
    tokenizer: Any, old: str, new: str, body: str
) -> None:
    """Nothing comes between prompt and target, and the old answer parts at the target."""
    if old == new:
        return
    texts = EditTexts(body.format(old), body.format(new))
    parting = find_parting(texts)
    before, target = split_parting(parting, tokenizer)
    whole = tokenizer(texts.after, add_special_tokens=False)["input_ids"]
    line = texts.after[: texts.after.find("\n", parting.end)]
    assert tokenizer(line, add_special_tokens=False)["input_ids"][: len(before) + len(target)] == [
        *before,
        *target,
    ]
    assert tokenizer.decode([*before, *target]).startswith(texts.after[: parting.end])
    other = tokenizer(texts.before, add_special_tokens=False)["input_ids"]
    assert other[: len(before)] == list(before)
    assert not target or other[len(before) : len(before) + 1] != [target[0]]
    assert whole  # the line alone may be cut into other ids than the text


def test_equal_partings_have_equal_digests() -> None:
    first, second = (
        plan_requests(arm("rome"), CHANGE, [MIGRATED], RequestSource()).requests[0]
        for _ in range(2)
    )
    assert first.parting == Parting(OLD, NEW, NEW.index("(") + 1)
    assert first.digest == second.digest
    lora = plan_requests(arm("lora"), CHANGE, [MIGRATED], RequestSource()).requests[0]
    assert lora.digest != first.digest
