"""Every row of the table of options as an option of pytest and as an ini key.

Options are added politely: `--coderobust-model` is always there, `--model` only when a command
uses it and nobody else owns it, because a plugin that takes a common name breaks the suites of
people who merely have it installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pytest

from pytest_coderobust.session.choices import spell_for_pytest
from pytest_coderobust.session.option import Option
from pytest_coderobust.session.options import OPTIONS

GROUP = "coderobust"


def dest(option: Option) -> str:
    """Where pytest keeps an option's value, and the name of its ini key."""
    return f"coderobust_{option.field}"


def add_options(parser: pytest.Parser) -> None:
    """Adds every canonical option and its ini key."""
    group = parser.getgroup(GROUP, "robustness of code models (pytest-coderobust)")
    for option in OPTIONS:
        short = f" (short: {option.alias})" if option.alias else ""
        group.addoption(
            spell_for_pytest(option.name), help=option.help + short, **_describe(option)
        )
        if option.flag:
            parser.addini(dest(option), option.help, type="bool")
        else:
            kind: Literal["linelist", "string"] = "linelist" if option.repeated else "string"
            parser.addini(dest(option), option.help, type=kind)


def add_aliases(parser: pytest.Parser, arguments: Sequence[str]) -> None:
    """Adds the short forms that this command uses and nobody else owns.

    Called when every plugin and conftest has registered its own.
    """
    group = parser.getgroup(GROUP)
    for option in OPTIONS:
        if not option.alias or not _uses(arguments, option.alias):
            continue
        probe = option.alias if option.flag else f"{option.alias}=x"
        if probe in parser.parse_known_and_unknown_args([probe])[1]:
            group.addoption(option.alias, help=option.help, **_describe(option))


def _describe(option: Option) -> dict[str, Any]:
    """The arguments that describe an option to pytest under either of its names."""
    if option.flag:
        return {"dest": dest(option), "action": "store_true", "default": None}
    action = "append" if option.repeated else "store"
    told = {"dest": dest(option), "metavar": option.metavar, "default": None, "action": action}
    return {**told, "nargs": "?", "const": option.bare} if option.bare else told


def _uses(arguments: Sequence[str], alias: str) -> bool:
    return any(word == alias or word.startswith(f"{alias}=") for word in arguments)
