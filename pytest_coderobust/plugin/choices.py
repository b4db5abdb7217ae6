"""The user's choices as pytest has them: command line before ini file before defaults."""

from __future__ import annotations

import pytest

from pytest_coderobust.errors import UsageError
from pytest_coderobust.plugin.options import dest
from pytest_coderobust.session.choices import Choices, make_choices, spell_for_pytest
from pytest_coderobust.session.options import OPTIONS, Option
from pytest_coderobust.session.values import read_path


def read_choices(config: pytest.Config) -> Choices:
    """Reads every option.

    Raises:
        pytest.UsageError: a value is impossible.
    """
    try:
        values = {option.field: _read_value(config, option) for option in OPTIONS}
        return make_choices(values, spell_for_pytest)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


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
