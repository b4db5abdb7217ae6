"""Assignment of a suite's API changes to its tasks."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from importlib.metadata import packages_distributions

from packaging.utils import canonicalize_name

from pytest_coderobust.config.api_changes import check_together, is_of_package
from pytest_coderobust.config.suite import SuiteConfig
from pytest_coderobust.engine.keys import find_packages
from pytest_coderobust.errors import ConfigError, nearest
from pytest_coderobust.records import Task


def add_api_changes(tasks: tuple[Task, ...], config: SuiteConfig) -> tuple[Task, ...]:
    """Adds to each task the changes of the suite that are for it, after its own.

    Raises:
        ConfigError: a change is for no task, contradicts another one, or is of a package that
            the suite does not show to solutions.
    """
    _demand_packages(tasks, config)
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


def _demand_packages(tasks: tuple[Task, ...], config: SuiteConfig) -> None:
    """Refuses removed functions of packages that no solution sees anyway."""
    olds = {each.old: task.id for task in tasks for each in task.api_changes}
    packaged = {old: task for old, task in olds.items() if is_of_package(old)}
    if not packaged:
        return
    shown = {name for name, _ in find_packages(config).versions}
    owners = packages_distributions()
    for old, task in packaged.items():
        names = {str(canonicalize_name(each)) for each in owners.get(old.partition(".")[0], ())}
        if not names & shown:
            raise ConfigError(
                f"{config.path}: [sandbox] packages: task {task} takes {old!r} away, which no "
                f"solution sees; name its package{nearest('', sorted(names))}"
            )


def _conflict(config: SuiteConfig, task: Task, problem: str) -> ConfigError:
    return ConfigError(f"{config.path}: [suite] api_changes: task {task.id}: {problem}")
