"""One table of options: its rows are pytest's options, the commands' and Python's keywords."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.cli.options import OPENING, add_model_options
from pytest_coderobust.engine.budget import parse_budget
from pytest_coderobust.errors import UsageError
from pytest_coderobust.session.choices import (
    Choices,
    ModelKeywords,
    make_choices,
    spell_for_command,
    spell_for_pytest,
    spell_for_python,
)
from pytest_coderobust.session.models import make_model_options
from pytest_coderobust.session.options import OPTIONS

GOOD: dict[str, tuple[list[str], object]] = {
    "device": (["cuda:1"], "cuda:1"),
    "dtype": (["bfloat16"], "bfloat16"),
    "batch_size": (["7"], 7),
    "threads": (["3"], 3),
    "concurrency": (["64"], 64),
    "patience": (["2m"], 120.0),
    "api_key_env": (["PROD_KEY"], "PROD_KEY"),
    "demand_identity": (["stated"], "stated"),
    "new_generation": ([], True),
    "chat": (["yes"], True),
    "allow_bin": ([], True),
    "trust_remote_code": ([], True),
    "allow_unsafe": ([], True),
    "sandbox_workers": (["2"], 2),
    "judges": (["ray:10.0.0.7:6379"], "ray:10.0.0.7:6379"),
    "ledger": (["kept/l.sqlite"], Path("kept/l.sqlite")),
}
"""A value of every option that a command which opens a model has, and what it means."""


def test_every_row_is_a_field_with_the_same_default() -> None:
    single = [option for option in OPTIONS if option.group != "format"]
    names = {each.name for each in fields(Choices)}
    assert names == {option.field for option in single} | {"formats"}
    defaults = Choices()
    for option in single:
        assert getattr(defaults, option.field) == option.default, option.name


def test_the_files_of_reports_are_kept_by_format() -> None:
    chosen = make_choices(
        {"json": "a.json", "html": Path("b.html"), "markdown": ""}, spell_for_pytest
    )
    assert chosen.formats == {"json": Path("a.json"), "html": Path("b.html")}


def test_the_keywords_are_the_rows_about_models_and_the_sandbox() -> None:
    known = {option.field for option in OPTIONS if option.group in ("model", "store")}
    assert set(ModelKeywords.__annotations__) == known - {"ledger"}


def test_no_value_makes_the_defaults() -> None:
    assert make_choices({}, spell_for_pytest) == Choices()
    assert make_choices({option.field: None for option in OPTIONS}, spell_for_pytest) == Choices()


def test_a_command_that_opens_a_model_has_every_row_about_it() -> None:
    assert {option.field for option in OPTIONS if option.name in OPENING} == set(GOOD)


@pytest.mark.parametrize("field", GOOD)
def test_a_good_value_reaches_the_choices(field: str) -> None:
    words, meant = GOOD[field]
    parser = argparse.ArgumentParser()
    add_model_options(parser)
    typed = parser.parse_args(["--model", "tiny", f"--{field.replace('_', '-')}", *words])
    values = {name: getattr(typed, name) for name in GOOD}
    assert make_choices(values, spell_for_command) == Choices(**{field: meant})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "field",
    ["device", "dtype", "batch_size", "threads", "chat", "allow_bin", "trust_remote_code",
     "concurrency", "patience", "api_key_env"],
)  # fmt: skip
def test_a_choice_reaches_the_model(field: str) -> None:
    meant = GOOD[field][1]
    options = make_model_options(Choices(**{field: meant}))  # type: ignore[arg-type]
    assert getattr(options, field) == meant


@pytest.mark.parametrize(
    ("label", "named"),
    [(spell_for_pytest, "--coderobust-batch-size"), (spell_for_command, "--batch-size"),
     (spell_for_python, "batch_size")],
)  # fmt: skip
@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "", True])
def test_a_wrong_count_is_named_as_its_door_spells_it(
    label: object, named: str, value: object
) -> None:
    with pytest.raises(UsageError, match=rf"^{named} '.*' must be a whole number from 1$"):
        make_choices({"batch_size": value}, label)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("device", "gpu", "must be one of auto, cpu, cuda"),
        ("device", "cpu:1", "or cuda:1"),
        ("dtype", "int8", "must be one of auto, float32, float16, bfloat16"),
        ("concurrency", "0", "must be 'auto', or a whole number from 1 to 1024"),
        ("concurrency", "1025", "must be 'auto', or a whole number from 1 to 1024"),
        ("concurrency", "many", "must be 'auto'"),
        ("patience", "0s", "must be a time such as '90s', '10m' or '2h'"),
        ("patience", "long", "must be a time such as"),
        ("patience", "-1m", "must be a time such as"),
        ("api_key_env", "", "must be the name of an environment variable, and not a key"),
        ("judges", "dask", "must be 'ray', or 'ray:HOST:PORT'"),
        ("judges", "ray:", "must be 'ray', or 'ray:HOST:PORT'"),
        ("judges", "ray:auto", "must be 'ray', or 'ray:HOST:PORT'"),
        ("judges", "ray:ray://head:10001", "must be 'ray', or 'ray:HOST:PORT'"),
        ("chat", "maybe", "must be one of auto, yes, no"),
    ],
)
def test_a_wrong_word_is_one_sentence_with_the_valid_ones(
    field: str, value: str, told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        make_choices({field: value}, spell_for_command)


@given(st.sampled_from(["auto", "yes", "no", True, False]))
def test_chat_is_a_word_or_a_truth_value(value: object) -> None:
    meant = {"auto": None, "yes": True, "no": False, True: True, False: False}[value]
    assert make_choices({"chat": value}, spell_for_python).chat is meant


def test_a_pasted_key_is_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        make_choices({"api_key_env": "sk-proj-123"}, spell_for_command)
    assert "sk-proj" not in str(caught.value)


@given(st.floats(0.001, 1e6), st.sampled_from([("s", 1.0), ("m", 60.0), ("h", 3600.0)]))
def test_a_time_is_read_in_its_unit(number: float, unit: tuple[str, float]) -> None:
    text = f"{number:.3f}{unit[0]}"
    found = make_choices({"patience": text}, spell_for_python).patience
    assert found == pytest.approx(float(f"{number:.3f}") * unit[1])


@given(st.lists(st.text("abC1,: ", max_size=5), max_size=4))
def test_names_are_equal_as_a_text_and_as_a_list(names: list[str]) -> None:
    text, listed = ",".join(names), [part for name in names for part in name.split(",")]
    assert make_choices({"perturb": text}, spell_for_python).perturb == (
        make_choices({"perturb": listed if text else None}, spell_for_python).perturb
    )


def test_a_reproducing_command_has_what_changes_an_answer() -> None:
    chosen = Choices(model="m", perturb=("C1", "C2"), edit=("rome",), batch_size=2, chat=False)
    assert chosen.arguments() == [
        "--coderobust-model=m", "--coderobust-perturb=C1,C2", "--coderobust-batch-size=2",
        "--coderobust-chat=no", "--coderobust-edit=rome",
    ]  # fmt: skip


def test_an_empty_text_that_was_typed_is_no_default() -> None:
    """A variable of a CI job that is not set must not lift a budget or change the model."""
    chosen = make_choices({"budget": "", "model": ""}, spell_for_pytest)
    assert (chosen.budget, chosen.model) == ("", "")
    with pytest.raises(UsageError, match="budget"):
        parse_budget("")
