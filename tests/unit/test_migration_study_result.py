"""Documents of studies: what `study_json` writes is what `read_study` reads."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support.study_results import make_study

from pytest_coderobust.errors import DataError
from pytest_coderobust.migration.study.result import read_study, study_json


def test_a_study_survives_its_document() -> None:
    study = make_study()
    assert read_study(json.loads(json.dumps(study_json(study)))) == study


def test_a_study_of_another_schema_is_refused() -> None:
    with pytest.raises(DataError, match="schema 99"):
        read_study({**study_json(make_study()), "schema": 99})


def test_a_document_of_something_else_is_refused() -> None:
    with pytest.raises(DataError, match="not a study"):
        read_study({"schema": 1, "arms": 5})


def test_the_arms_and_subsets_are_found_by_name() -> None:
    study = make_study()
    arm = study.arm("lora")
    assert arm is not None
    assert arm.refused == 1
    found = arm.final.subset("generalisation")
    assert found is not None
    assert found.adoption is not None
    assert found.adoption.samples == 12
    assert study.arm("rome") is None
    assert replace(study, arms=()).arm("lora") is None
