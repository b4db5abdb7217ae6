"""pytest's hooks, a few lines each.

Loading this module imports pytest and our own options, nothing else: everything heavier waits
until somebody names a model.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_coderobust.plugin.choices import read_choices
from pytest_coderobust.plugin.fixtures import (
    base_model,
    code_model,
    code_task,
    coderobust_place,
    edit_session,
    edited_model,
    solve,
    variant,
)
from pytest_coderobust.plugin.options import add_aliases, add_options
from pytest_coderobust.plugin.stash import FINDINGS, NOTES, SESSION, ItemNotes, is_worker

if TYPE_CHECKING:
    from pytest_coderobust.session.choices import Choices
    from pytest_coderobust.session.session import Session

__all__ = [
    "base_model",
    "code_model",
    "code_task",
    "coderobust_place",
    "edit_session",
    "edited_model",
    "solve",
    "variant",
]

MARKER = "coderobust(suite): run the test on the tasks of a suite, a TOML file or a data set"


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    parser: pytest.Parser, args: list[str]
) -> Generator[None, object, object]:
    result = yield
    add_aliases(parser, args)
    return result


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    choices = read_choices(config)
    if choices.model is None:
        return
    from pytest_coderobust.plugin.outcome import Findings

    state = config.stash[SESSION] = start_session(config, choices)
    config.stash[NOTES] = ItemNotes()
    findings = config.stash[FINDINGS] = Findings(state)
    config.pluginmanager.register(findings, "coderobust-findings")
    if config.args_source is not config.ArgsSource.ARGS:
        config.args += [str(suite) for suite in state.settings.suites]


def pytest_unconfigure(config: pytest.Config) -> None:
    state = config.stash.get(SESSION, None)
    if state is not None:
        state.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    if SESSION not in session.config.stash and any(".toml" in word for word in session.config.args):
        from pytest_coderobust.plugin.collection import refuse_suites

        refuse_suites(session.config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    state = parent.config.stash.get(SESSION, None)
    if state is None or file_path.suffix != ".toml":
        return None
    from pytest_coderobust.plugin.collection import collect_suite

    return collect_suite(file_path, parent)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "coderobust_place" in metafunc.fixturenames:
        from pytest_coderobust.plugin.solving import parametrize

        parametrize(metafunc, metafunc.config.stash.get(SESSION, None))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    state = config.stash.get(SESSION, None)
    if state is not None and state.choices.shard is not None:
        from pytest_coderobust.plugin.sharding import keep_shard

        keep_shard(config, state, items)


@pytest.hookimpl(tryfirst=True)  # before the terminal reports the end of collection
def pytest_collection_finish(session: pytest.Session) -> None:
    state = session.config.stash.get(SESSION, None)
    if state is None or session.config.option.collectonly:
        return
    from pytest_coderobust.plugin.collection import list_own_suites, list_wanted_squares

    state.want(list_wanted_squares(session.items))
    for reference in list_own_suites(session.items):
        state.suite(reference).own = True
    start_progress(session.config, state)
    if not is_worker(session.config) and state.choices.plan is None:
        probe_sandbox(state)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    state = session.config.stash.get(SESSION, None)
    if state is None or state.choices.plan is None or session.config.option.collectonly:
        return None
    from pytest_coderobust.plugin.planning import print_plan

    return print_plan(session, state)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    state = config.stash.get(SESSION, None)
    return state.sandbox_lines if state is not None else []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    state = item.config.stash.get(SESSION, None)
    if state is not None:
        from pytest_coderobust.plugin.given import keep_drawn
        from pytest_coderobust.plugin.reports import annotate

        keep_drawn(report, item)
        annotate(report, item)
    return report


def pytest_report_teststatus(
    report: pytest.CollectReport | pytest.TestReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    word = getattr(report, "coderobust_status", "")
    if not word or report.when != "call" or not report.passed:
        return None
    from pytest_coderobust.plugin.terminal import choose_letter

    return choose_letter(word)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    state = node.config.stash.get(SESSION, None)
    if state is not None:
        node.workerinput["coderobust_started"] = state.started
        node.workerinput["coderobust_session"] = state.token


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    findings = node.config.stash.get(FINDINGS, None)
    if findings is not None:
        from pytest_coderobust.plugin.ending import hear_worker

        hear_worker(getattr(node, "workeroutput", {}), findings)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: Sequence[str]) -> None:
    findings = node.config.stash.get(FINDINGS, None)
    if findings is not None:
        findings.add_suites_of(ids)


@pytest.hookimpl(tryfirst=True)  # before pytest writes its JUnit XML, which shows the gates too
def pytest_sessionfinish(session: pytest.Session) -> None:
    findings = session.config.stash.get(FINDINGS, None)
    if findings is None or session.config.option.collectonly:
        return
    if session.config.stash[SESSION].choices.plan is not None:
        return  # nothing was asked
    if session.exitstatus == pytest.ExitCode.USAGE_ERROR:
        return  # nothing was run, and a sentence says why
    from pytest_coderobust.plugin.ending import finish_asking

    finish_asking(session, findings)
    if is_worker(session.config):
        return
    findings.conclude()
    if findings.wants_hunt(session.exitstatus):
        start_progress(session.config, session.config.stash[SESSION])
        findings.hunt()
        finish_asking(session, findings)
    findings.write(session.config)
    if findings.failed and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    findings = config.stash.get(FINDINGS, None)
    if findings is not None and not is_worker(config):
        from pytest_coderobust.plugin.terminal import write_summary

        write_summary(terminalreporter, config, findings)


def start_session(config: pytest.Config, choices: Choices) -> Session:
    """Checks every choice and starts the session; nothing heavy loads.

    Raises:
        pytest.UsageError: the model, a perturbation or the project's settings are wrong.
    """
    from pytest_coderobust.config.settings import read_settings
    from pytest_coderobust.errors import UsageError
    from pytest_coderobust.session.checks import check_choices
    from pytest_coderobust.session.session import Session

    try:
        session = Session(choices, read_settings(config.rootpath), config.rootpath)
        check_choices(session)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    told: dict[str, Any] = getattr(config, "workerinput", {})
    session.started = told.get("coderobust_started", session.started)
    session.token = told.get("coderobust_session", session.token)
    return session


def start_progress(config: pytest.Config, session: Session) -> None:
    """Shows the engine's work, except in workers, which have no terminal."""
    if not is_worker(config):
        from pytest_coderobust.plugin.progress import TerminalProgress

        session.listeners[:] = [TerminalProgress(config)]


def probe_sandbox(session: Session) -> None:
    """Starts the sandbox for the suites of this run; a refusal ends it before a model loads.

    Raises:
        pytest.UsageError: no isolation works here, a suite demands more, the ledger that keeps
            the verdicts cannot be used, or an edit does not fit the model.
    """
    from pytest_coderobust.errors import CodeRobustError

    try:
        session.probe()
    except CodeRobustError as error:
        raise pytest.UsageError(str(error)) from None
