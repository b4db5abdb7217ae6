"""Robustness regression testing of code language models, as a pytest plugin.

    from pytest_coderobust import run

    result = run("quickstart", "tiny", perturb="C1")

What is exported here works without pytest; each name is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coderobust_strategies import perturb as perturb
    from coderobust_strategies.audit import audit as audit
    from coderobust_strategies.hypothesis_strategies import perturbed as perturbed
    from coderobust_strategies.perturbations.recode import TaskCode as TaskCode
    from coderobust_strategies.perturbations.recode import halved as halved
    from coderobust_strategies.perturbations.recode import recode as recode
    from pytest_coderobust.attack import attack_prompt as attack_prompt
    from pytest_coderobust.door.editing import edited as edited
    from pytest_coderobust.door.hunting import hunt as hunt
    from pytest_coderobust.door.opening import open_session as open_session
    from pytest_coderobust.door.running import run as run
    from pytest_coderobust.door.suite_result import SuiteResult as SuiteResult
    from pytest_coderobust.editors.protocol import Editor as Editor
    from pytest_coderobust.editors.protocol import EditRequest as EditRequest
    from pytest_coderobust.editors.registry import EditorEntry as EditorEntry
    from pytest_coderobust.editors.weights import WeightEditor as WeightEditor
    from pytest_coderobust.editors.weights import weight_change as weight_change
    from pytest_coderobust.engine.sample_rows import ForeignSample as ForeignSample
    from pytest_coderobust.engine.samples import check as check
    from pytest_coderobust.errors import CodeRobustError as CodeRobustError
    from pytest_coderobust.errors import ConfigError as ConfigError
    from pytest_coderobust.errors import DataError as DataError
    from pytest_coderobust.errors import EditRefused as EditRefused
    from pytest_coderobust.errors import LedgerError as LedgerError
    from pytest_coderobust.errors import MissingExtra as MissingExtra
    from pytest_coderobust.errors import ModelError as ModelError
    from pytest_coderobust.errors import SandboxError as SandboxError
    from pytest_coderobust.errors import UnknownName as UnknownName
    from pytest_coderobust.errors import UsageError as UsageError
    from pytest_coderobust.models.backend import Backend as Backend
    from pytest_coderobust.models.options import ModelOptions as ModelOptions
    from pytest_coderobust.models.registry import BackendEntry as BackendEntry
    from pytest_coderobust.models.registry import open_backend as open_backend
    from pytest_coderobust.models.scripted import Scripted as Scripted
    from pytest_coderobust.records import Completion as Completion
    from pytest_coderobust.records import Level as Level
    from pytest_coderobust.records import Limits as Limits
    from pytest_coderobust.records import ModelIdentity as ModelIdentity
    from pytest_coderobust.records import Task as Task
    from pytest_coderobust.records import Tests as Tests
    from pytest_coderobust.records import Verdict as Verdict
    from pytest_coderobust.reporting.formats import Format as Format
    from pytest_coderobust.sandbox import open_sandbox as open_sandbox
    from pytest_coderobust.sandbox.check import Check as Check
    from pytest_coderobust.sandbox.nodes.executor import ExecutorSandbox as ExecutorSandbox
    from pytest_coderobust.session.session import Session as Session
    from pytest_coderobust.tasks.shapes import Shape as Shape
    from pytest_coderobust.tiny import checkpoint_path as checkpoint_path

    __version__: str

__all__ = [
    "Backend", "BackendEntry", "Check", "CodeRobustError", "Completion", "ConfigError",
    "DataError", "EditRefused", "EditRequest", "Editor", "EditorEntry", "ExecutorSandbox",
    "ForeignSample", "Format", "LedgerError", "Level", "Limits", "MissingExtra", "ModelError",
    "ModelIdentity", "ModelOptions", "SandboxError", "Scripted", "Session", "Shape",
    "SuiteResult", "Task", "TaskCode", "Tests", "UnknownName", "UsageError", "Verdict",
    "WeightEditor", "attack_prompt", "audit", "check", "checkpoint_path", "edited", "halved",
    "hunt", "open_backend", "open_sandbox", "open_session", "perturb", "perturbed", "recode",
    "run", "weight_change",
]  # fmt: skip

_ROOMS = {
    "pytest_coderobust.errors": (
        "CodeRobustError", "ConfigError", "DataError", "EditRefused", "LedgerError",
        "MissingExtra", "ModelError", "SandboxError", "UnknownName", "UsageError",
    ),
    "pytest_coderobust.records": (
        "Completion", "Level", "Limits", "ModelIdentity", "Task", "Tests", "Verdict",
    ),
    "pytest_coderobust.door.editing": ("edited",),
    "pytest_coderobust.door.hunting": ("hunt",),
    "pytest_coderobust.door.opening": ("open_session",),
    "pytest_coderobust.door.running": ("run",),
    "pytest_coderobust.door.suite_result": ("SuiteResult",),
    "pytest_coderobust.session.session": ("Session",),
    "pytest_coderobust.models.backend": ("Backend",),
    "pytest_coderobust.models.options": ("ModelOptions",),
    "pytest_coderobust.models.registry": ("BackendEntry", "open_backend"),
    "pytest_coderobust.models.scripted": ("Scripted",),
    "pytest_coderobust.editors.protocol": ("EditRequest", "Editor"),
    "pytest_coderobust.editors.registry": ("EditorEntry",),
    "pytest_coderobust.editors.weights": ("WeightEditor", "weight_change"),
    "pytest_coderobust.engine.sample_rows": ("ForeignSample",),
    "pytest_coderobust.engine.samples": ("check",),
    "pytest_coderobust.sandbox": ("open_sandbox",),
    "pytest_coderobust.sandbox.check": ("Check",),
    "pytest_coderobust.sandbox.nodes.executor": ("ExecutorSandbox",),
    "pytest_coderobust.tasks.shapes": ("Shape",),
    "pytest_coderobust.reporting.formats": ("Format",),
    "pytest_coderobust.attack": ("attack_prompt",),
    "pytest_coderobust.tiny": ("checkpoint_path",),
    "coderobust_strategies": ("perturb",),
    "coderobust_strategies.audit": ("audit",),
    "coderobust_strategies.hypothesis_strategies": ("perturbed",),
    "coderobust_strategies.perturbations.recode": ("TaskCode", "halved", "recode"),
}  # fmt: skip
"""The names of each module that are exported here."""

_PLACES = {name: module for module, names in _ROOMS.items() for name in names}

_FORMER = {"Sample": "ForeignSample"}
"""Names of the first release, which answer for one more; docs/migrating.md lists them."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("pytest-coderobust")
    current = _FORMER.get(name, name)
    if current not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[current]), current)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
