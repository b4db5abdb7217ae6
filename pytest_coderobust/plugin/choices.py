"""The user's choices as pytest has them: command line before ini file before defaults."""

from __future__ import annotations

import os
import shlex

import pytest

from pytest_coderobust.errors import UsageError
from pytest_coderobust.plugin.options import dest
from pytest_coderobust.session.choices import Choices, make_choices, spell_for_pytest
from pytest_coderobust.session.option import Option
from pytest_coderobust.session.options import OPTIONS
from pytest_coderobust.session.values import read_path

KEY = "api-key-env"


def read_choices(config: pytest.Config) -> Choices:
    """Reads every option.

    Raises:
        pytest.UsageError: a value is impossible.
    """
    try:
        _check_typed(config)
        values = {option.field: _read_value(config, option) for option in OPTIONS}
        choices = make_choices(values, spell_for_pytest)
        _check_alone(config, choices)
        return choices
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


def _check_alone(config: pytest.Config, choices: Choices) -> None:
    """Refuses several processes that would each want all nodes of a cluster.

    Raises:
        UsageError: xdist distributes the tests.
    """
    distributed = any(config.getoption(name, None) for name in ("numprocesses", "tx"))
    if choices.judges is not None and (distributed or hasattr(config, "workerinput")):
        raise UsageError(
            f"{spell_for_pytest('judges')} needs one process, which has all lanes of every node: "
            "leave out -n"
        )


def _check_typed(config: pytest.Config) -> None:
    """Refuses the variable of a key that a file names: whoever changes the file gets the key.

    Raises:
        UsageError: it, or the model it belongs to, was not typed.
    """
    key, model = (next(row for row in OPTIONS if row.name == name) for name in (KEY, "model"))
    if _read_value(config, key) is None or hasattr(config, "workerinput"):
        return  # xdist's controller has looked at the command of its workers
    words = [*config.invocation_params.args, *shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))]
    for row in (key, model):
        names = [name for name in (spell_for_pytest(row.name), row.alias) if name]
        if not any(str(word).partition("=")[0] in names for word in words):
            raise UsageError(
                f"{spell_for_pytest(KEY)} counts on the command line only, beside {model.alias}; "
                "for an address that a file names, CODEROBUST_KEYS=VARIABLE:HOST in the "
                "environment allows a key"
            )


def _read_value(config: pytest.Config, option: Option) -> object:
    """One option's value as it was written, or None.

    A path of the command line starts from where it was typed, one of the ini file from the root.
    """
    typed = config.getoption(dest(option), None)
    is_typed = bool(typed) if option.repeated else typed is not None
    # A key that the ini file lacks reads as an empty text.
    written = typed if is_typed else config.getini(dest(option)) or None
    if option.read is not read_path or not written:
        return written
    folder = config.invocation_params.dir if is_typed else config.rootpath
    return folder / str(written)
