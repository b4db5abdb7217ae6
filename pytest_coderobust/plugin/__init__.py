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
from pytest_coderobust.plugin.stash import FINDINGS, STATE, is_worker

if TYPE_CHECKING:
    from pytest_coderobust.plugin.session import CodeRobust

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

MARKER = (
    "coderobust(suite): run the test on the tasks of this suite, a TOML file or a data set's name"
)


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
    from pytest_coderobust.plugin.opening import open_session
    from pytest_coderobust.plugin.outcome import Findings

    state = config.stash[STATE] = open_session(config, choices)
    findings = config.stash[FINDINGS] = Findings(state)
    config.pluginmanager.register(findings, "coderobust-findings")
    if config.args_source is not config.ArgsSource.ARGS:
        config.args += [str(suite) for suite in state.settings.suites]


def pytest_unconfigure(config: pytest.Config) -> None:
    state = config.stash.get(STATE, None)
    if state is not None:
        state.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    if STATE not in session.config.stash and any(".toml" in word for word in session.config.args):
        from pytest_coderobust.plugin.collection import refuse_suites

        refuse_suites(session.config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    state = parent.config.stash.get(STATE, None)
    if state is None or file_path.suffix != ".toml":
        return None
    from pytest_coderobust.plugin.collection import collect_suite

    return collect_suite(file_path, parent, state)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "coderobust_place" in metafunc.fixturenames:
        from pytest_coderobust.plugin.solving import parametrize

        parametrize(metafunc, metafunc.config.stash.get(STATE, None))


@pytest.hookimpl(tryfirst=True)  # before the terminal reports the end of collection
def pytest_collection_finish(session: pytest.Session) -> None:
    state = session.config.stash.get(STATE, None)
    if state is None or session.config.option.collectonly:
        return
    from pytest_coderobust.plugin.collection import own_suites, wanted_squares

    state.want(wanted_squares(session.items))
    state.own = own_suites(session.items)
    start_progress(session.config, state)
    if not is_worker(session.config):
        probe_sandbox(state)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    state = config.stash.get(STATE, None)
    return [f"coderobust: sandbox {state.tier}"] if state is not None and state.tier else []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    state = item.config.stash.get(STATE, None)
    if state is not None:
        from pytest_coderobust.plugin.given import keep_drawn
        from pytest_coderobust.plugin.outcome import annotate

        keep_drawn(report, item, state)
        annotate(report, item, state)
    return report


def pytest_report_teststatus(
    report: pytest.CollectReport | pytest.TestReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    word = getattr(report, "coderobust_status", "")
    if not word or report.when != "call" or not report.passed:
        return None
    from pytest_coderobust.plugin.terminal import teststatus

    return teststatus(word)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    state = node.config.stash.get(STATE, None)
    if state is not None:
        node.workerinput["coderobust_started"] = state.started


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: Sequence[str]) -> None:
    findings = node.config.stash.get(FINDINGS, None)
    if findings is not None:
        findings.collected_ids(ids)


@pytest.hookimpl(tryfirst=True)  # before pytest writes its JUnit XML, which shows the gates too
def pytest_sessionfinish(session: pytest.Session) -> None:
    findings = session.config.stash.get(FINDINGS, None)
    if findings is None or is_worker(session.config) or session.config.option.collectonly:
        return
    if session.exitstatus == pytest.ExitCode.USAGE_ERROR:
        return  # nothing was run, and a sentence says why
    findings.conclude()
    if findings.wants_hunt(session.exitstatus):
        from pytest_coderobust.plugin.hunting import hunt_all

        start_progress(session.config, session.config.stash[STATE])
        findings.hunts = hunt_all(session.config.stash[STATE], findings)
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


def start_progress(config: pytest.Config, state: CodeRobust) -> None:
    """Shows the engine's work, except in workers, which have no terminal."""
    if not is_worker(config):
        from pytest_coderobust.plugin.progress import TerminalProgress

        state.listener = TerminalProgress(config)


def probe_sandbox(state: CodeRobust) -> None:
    """Starts the sandbox for the suites of this run; a refusal ends it before a model loads.

    Raises:
        pytest.UsageError: no isolation works here, a suite demands more, the ledger that keeps
            the verdicts cannot be used, or an edit does not fit the model.
    """
    from pytest_coderobust.errors import CodeRobustError

    try:
        for reference in state.wanted:
            state.tier = state.probe(reference)
    except CodeRobustError as error:
        raise pytest.UsageError(str(error)) from None
