"""The frozen values that flow along the path: task, variant, completion, verdict, observation.

Nothing here computes a result, reads a file or knows pytest, torch or the sandbox.
"""

from __future__ import annotations

from pytest_coderobust.records.completion import Completion, Finish, Row, Sampling
from pytest_coderobust.records.identity import CANARY, IDENTITY, TRAINED_ON, ModelIdentity, digest
from pytest_coderobust.records.observation import Adoption, Observation, Status
from pytest_coderobust.records.packages import Packages
from pytest_coderobust.records.reading import AnswerBlock, AnswerReading
from pytest_coderobust.records.suite_run import Course, RefusalReason, SuiteRun
from pytest_coderobust.records.task import (
    ApiChange,
    ChangeKind,
    Language,
    PromptForm,
    Task,
    Tests,
    TestStyle,
)
from pytest_coderobust.records.usage import Bill, Tariff, Usage
from pytest_coderobust.records.variant import CLEAN, Cell, Square, Variant
from pytest_coderobust.records.verdict import TIERS, ApiUse, FailureKind, Level, Limits, Verdict

__all__ = [
    "CANARY",
    "CLEAN",
    "IDENTITY",
    "TIERS",
    "TRAINED_ON",
    "Adoption",
    "AnswerBlock",
    "AnswerReading",
    "ApiChange",
    "ApiUse",
    "Bill",
    "Cell",
    "ChangeKind",
    "Completion",
    "Course",
    "FailureKind",
    "Finish",
    "Language",
    "Level",
    "Limits",
    "ModelIdentity",
    "Observation",
    "Packages",
    "PromptForm",
    "RefusalReason",
    "Row",
    "Sampling",
    "Square",
    "Status",
    "SuiteRun",
    "Tariff",
    "Task",
    "TestStyle",
    "Tests",
    "Usage",
    "Variant",
    "Verdict",
    "digest",
]
