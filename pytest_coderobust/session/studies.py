"""Studies of API migration: a suite, a model and arms, checked before anything loads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_coderobust.errors import UsageError
from pytest_coderobust.session.models import list_known_models
from pytest_coderobust.session.resources import Resources

if TYPE_CHECKING:
    from pytest_coderobust.engine.study.arms import StudyArm
    from pytest_coderobust.engine.study.study import Study
    from pytest_coderobust.gates.gate import Gate
    from pytest_coderobust.migration.study.result import StudyResult
    from pytest_coderobust.session.suite import SuiteSession

WITHOUT_WEIGHTS = "none, note, example and codemod"


def measure_study(
    suite: SuiteSession, where: str, report: Callable[[str], None] = lambda _: None
) -> StudyResult:
    """Measures the study of a suite, its gates decided; what is stored is not asked again.

    Args:
        where: how messages about arms begin ("--arms").

    Raises:
        UsageError: an arm or a gate is wrong, or one needs weights that the model does not have.
        DataError: the suite is no benchmark of migration.
        ModelError, SandboxError: the harness failed.
    """
    from pytest_coderobust.engine.study.results import run_study
    from pytest_coderobust.gates.arms import decide_arms
    from pytest_coderobust.migration.study.result import StudyGateLine

    arms = read_study_arms(suite, where)
    gates = read_study_gates(suite, arms)
    found = run_study(open_study(suite, arms, where, report))
    lines = tuple(
        StudyGateLine(each.gate.text, each.outcome, each.value, each.reason)
        for each in decide_arms(gates, found)
    )
    return replace(found, gates=lines)


def read_study_arms(suite: SuiteSession, where: str) -> tuple[StudyArm, ...]:
    """Reads the arms of a suite; nothing heavy loads.

    Raises:
        UsageError: see `measure_study`.
    """
    from pytest_coderobust.engine.study.arms import read_arms
    from pytest_coderobust.migration.study.nearest import require_bm25

    config = suite.config.migration
    arms = read_arms(config.arms, config.request_form, where)
    for arm in arms:
        if arm.spec is not None:
            require_weights(arm, suite.resources, where)
        if arm.front == "example":
            require_bm25()
    return arms


def require_weights(arm: StudyArm, resources: Resources, where: str) -> None:
    """Refuses an arm that edits where the model has no weights here."""
    from pytest_coderobust.models.registry import has_weights

    named = has_weights(resources.model, list_known_models(resources.settings))
    if not named or not hasattr(resources.backend, "load"):
        raise UsageError(
            f"{where} {arm.name}: model {resources.model!r} has no weights to edit; arms that need "
            f"none are {WITHOUT_WEIGHTS}"
        )


def read_study_gates(suite: SuiteSession, arms: tuple[StudyArm, ...]) -> tuple[Gate, ...]:
    """Reads the gates of a suite's study. Raises ConfigError."""
    from pytest_coderobust.gates.arms import parse_arm_gates

    config = suite.config
    where = f"{config.path}: [migration] gates"
    names = [arm.name for arm in arms]
    return parse_arm_gates(config.migration.gates, names, config.ks, where)


def open_study(
    suite: SuiteSession, arms: tuple[StudyArm, ...], where: str, report: Callable[[str], None]
) -> Study:
    """Opens the study: the suite on the unedited model, and the workbench where arms edit."""
    from pytest_coderobust.editors.identity import require_weights as require_backend
    from pytest_coderobust.editors.stack import check_model
    from pytest_coderobust.engine.edited.setting import EditSetting
    from pytest_coderobust.engine.study.material import read_material
    from pytest_coderobust.engine.study.study import Study

    plan = suite.plan
    read_material(plan, tuple(plan.tasks.values()))  # a wrong suite is refused before a model loads
    suite.probe()
    resources, setting = suite.resources, None
    specs = [arm.spec for arm in arms if arm.spec is not None]
    if specs:
        backend = require_backend(resources.backend, specs[0].label, f"{where} ")
        check_model(specs, backend)
        setting = EditSetting(plan, backend, resources.verdicts, resources.ledger, resources.listen)
    base = setting.base if setting is not None else suite.measure_with(resources.backend)
    unusable = base.selfcheck().unusable
    usable = [task for task in plan.tasks.values() if task.id not in unusable]
    material = read_material(plan, usable)
    return Study(base, setting, resources.verdicts, resources.ledger, material, arms, report)
