"""Assignment of a suite's API changes to its tasks."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from functools import partial

from pytest_coderobust.config.api_changes import check_together
from pytest_coderobust.config.suite import SuiteConfig
from pytest_coderobust.errors import ConfigError, nearest
from pytest_coderobust.records import Task


def add_api_changes(tasks: tuple[Task, ...], config: SuiteConfig) -> tuple[Task, ...]:
    """Adds to each task the changes of the suite that are for it, after its own.

    Raises:
        ConfigError: a change is for no task, or contradicts another one.
    """
    tags = {tag for task in tasks for tag in task.tags}
    for declared in config.api_changes:
        if declared.tag and declared.tag not in tags:
            hint = nearest(declared.tag, get_close_matches(declared.tag, tags) or ())
            raise ConfigError(
                f"{config.path}: [suite] api_changes: no task has the tag {declared.tag!r}{hint}"
            )
    made: list[Task] = []
    for task in tasks:
        own = [d.change for d in config.api_changes if not d.tag or d.tag in task.tags]
        changes = tuple(dict.fromkeys((*task.api_changes, *own)))
        check_together(changes, partial(_conflict, config, task))
        made.append(replace(task, api_changes=changes) if own else task)
    return tuple(made)


def _conflict(config: SuiteConfig, task: Task, problem: str) -> ConfigError:
    return ConfigError(f"{config.path}: [suite] api_changes: task {task.id}: {problem}")
