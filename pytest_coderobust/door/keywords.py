"""Keyword arguments of the Python door: the rows of the table of options that it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter, signature
from pathlib import Path

from pytest_coderobust.errors import nearest
from pytest_coderobust.session.choices import ModelKeywords


class RunKeywords(ModelKeywords, total=False):
    """The options of a run that may be keyword arguments; docs/options.md says what they do."""

    early: bool
    no_gates: bool
    noise_floor: bool
    quality: str | None
    quality_paper: bool
    baseline: str | Path | None
    update_baseline: bool


def refuse_unknown(
    function: Callable[..., object], given: Mapping[str, object], rows: Iterable[str]
) -> None:
    """Refuses a keyword argument that a function does not have.

    Args:
        rows: the options that it takes beside the arguments that it names itself.

    Raises:
        TypeError: as Python's own, with the nearest name.
    """
    own = signature(function).parameters.values()
    names = [*(each.name for each in own if each.kind is Parameter.KEYWORD_ONLY), *rows]
    for name in given:
        if name not in names:
            raise TypeError(
                f"{function.__name__}() got an unexpected keyword argument {name!r}"
                f"{nearest(name, names)}"
            )
