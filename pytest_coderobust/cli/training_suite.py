"""Suites that training rows are compared with: their tasks, and what models may be trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.records import digest

if TYPE_CHECKING:
    from pytest_coderobust.records import Task


@dataclass(frozen=True, slots=True)
class TrainingSuite:
    """A suite as a training sees it.

    Attributes:
        name: as the user wrote it.
        tasks: by id.
        train: the perturbations that it lets models be trained on; empty where it does not say.
    """

    name: str
    tasks: Mapping[str, Task]
    train: tuple[str, ...]

    @property
    def digest(self) -> str:
        """A fingerprint of what rows are compared with."""
        asked = [[task.id, task.prompt, task.canonical] for task in self.tasks.values()]
        return digest("training suite", asked)


def read_training_suite(suite: str) -> TrainingSuite:
    """Reads a suite: a TOML file from the working folder, or a data set's name.

    Raises:
        ConfigError, DataError: it cannot be read.
    """
    from pytest_coderobust.config.suite import make_named_suite, read_suite
    from pytest_coderobust.engine.plan import read_plan

    path = Path.cwd() / suite
    config = read_suite(path) if suite.endswith(".toml") else make_named_suite(suite, Path.cwd())
    tasks = read_plan(replace(config, perturbations=(), recorded=())).tasks
    return TrainingSuite(suite, tasks, config.train)
