"""Arms of a study as users write them, and the gates about them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from support.study_results import make_study

from pytest_coderobust.engine.study.arms import read_arms, split_arms
from pytest_coderobust.errors import ConfigError, UsageError
from pytest_coderobust.gates.arms import decide_arms, parse_arm_gate


def test_options_stay_with_their_editor() -> None:
    text = "none, placebo:lora:steps=40,lr=0.01 ,rome:form=solution,layer=2,note+lora:steps=3,lr=1e-3,codemod"
    assert split_arms(text) == (
        "none",
        "placebo:lora:steps=40,lr=0.01",
        "rome:form=solution,layer=2",
        "note+lora:steps=3,lr=1e-3",
        "codemod",
    )


def test_arms_say_what_is_done() -> None:
    arms = read_arms(
        ["note", "codemod", "placebo", "wrong-change:rome", "note+lora", "lora:steps=4"],
        "auto",
        "--arms",
    )
    assert [(arm.name, arm.kind) for arm in arms] == [
        ("none", "none"),
        ("note", "prompt"),
        ("codemod", "codemod"),
        ("placebo", "control"),
        ("wrong-change:rome", "control"),
        ("note+lora", "editor"),
        ("lora:steps=4", "editor"),
    ]
    by_name = {arm.name: arm for arm in arms}
    assert by_name["note+lora"].front == "note"
    # A control without an editor is the first one's; each form is the editor's own.
    assert by_name["placebo"].spec == by_name["note+lora"].spec
    assert by_name["placebo"].form == "solution"
    assert by_name["wrong-change:rome"].form == "decision"


def test_the_form_of_requests_can_be_chosen() -> None:
    _, rome, lora = read_arms(["rome", "lora:form=own"], "solution", "--arms")
    assert (rome.form, lora.form) == ("solution", "own")
    assert lora.spec is not None
    assert lora.spec.label == "lora"


@pytest.mark.parametrize(
    ("arm", "problem"),
    [
        ("grace:form=decision", "'grace' cannot learn from requests of the form 'decision', because it acts while"),
        ("creme", "'creme' follows no target, so it cannot be taught a new name"),
        ("denoise", "'denoise' follows no target"),
        ("lora:form=both", "form = 'both' is not a valid form"),
        ("lora:stepz=4", "unknown option 'stepz'; did you mean 'steps'"),
        ("not:x=1", "unknown arm 'not'; did you mean 'note'"),
        ("note:x=1", "'note' takes no options"),
        ("placebo", "is the control of an editor, and the study has none; name one, as in 'placebo:lora'"),
        ("note+codemod", "what comes after note+ must be an editor"),
    ],
)  # fmt: skip
def test_a_wrong_arm_is_told_in_a_sentence(arm: str, problem: str) -> None:
    with pytest.raises(UsageError, match=re.escape(problem)) as caught:
        read_arms([arm], "auto", "--arms")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value", "outcome"),
    [
        ("stale[none] <= 0.25", 0.25, "holds"),
        ("stale[none] < 0.25", 0.25, "fails"),
        ("adoption[lora] >= 0.8", 0.5, "fails"),
        ("pass@1[lora] > 0.4", 0.5, "holds"),
        ("regressions[lora] <= 2", 2.0, "holds"),
        ("regressions[lora] <= 1", 2.0, "fails"),
    ],
)
def test_a_gate_is_decided_by_its_arm(text: str, value: float, outcome: str) -> None:
    gate = parse_arm_gate(text, ["none", "lora"], (1,), "suite.toml")
    (found,) = decide_arms([gate], make_study())
    assert (found.value, found.outcome, found.fails) == (value, outcome, outcome == "fails")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("stale <= 0.05", "is not a valid gate of a study: METRIC[@K][ARM]"),
        ("stale[lore] <= 0.05", "is about no arm of the study; did you mean 'lora'"),
        ("stail[lora] <= 0.05", "unknown metric 'stail'"),
        ("stale@1[lora] <= 0.05", "takes no @1"),
        ("stale[lora] <= 5", "is a share between 0 and 1"),
        ("regressions[lora] <= 0.5", "its threshold is whole"),
        ("pass@3[lora] <= 0.5", "asks for k = 3, and the suite measures k = 1"),
        ("stale[lora]@base <= 0.5", "is not a valid gate of a study"),
    ],
)
def test_a_wrong_gate_is_told_in_a_sentence(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)):
        parse_arm_gate(text, ["none", "lora"], (1,), "suite.toml")


@pytest.mark.parametrize("text", ["regressions[lora] <= 2", "stale[lora] <= 1"])
def test_an_arm_without_an_edit_is_not_judged(text: str) -> None:
    """The unedited model answered in its place, and loses nothing against itself."""
    study = make_study()
    arm = study.arm("lora")
    assert arm is not None
    refused = tuple(replace(edit, refused="it moved nothing") for edit in arm.edits)
    without = replace(
        study, arms=tuple(replace(a, edits=refused) if a is arm else a for a in study.arms)
    )
    (found,) = decide_arms([parse_arm_gate(text, ["lora"], [1], "x.toml")], without)
    assert (found.outcome, found.reason) == ("not judged", "no edit was made: it moved nothing")
