"""Streams against scripted servers: rows, answers, and the message that ends a session."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.backend import Streamed
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.served.patience import Patience
from pytest_coderobust.records import Row
from support.scripted_server import Asked, ScriptedServer, Told, serve
from support.served_models import (
    AT_ONCE,
    GREEDY,
    completed,
    make_row,
    make_rows,
    open_toy,
    prompt_of,
)

BAD = make_row("bad")


def echo(asked: Asked) -> Told:
    return completed(prompt_of(asked).upper())


def failing(told: Told, times: int = 10**9) -> Callable[[Asked], Told]:
    """A script that answers the prompt "bad" so, that many times, and echoes all others."""
    left = iter(range(times))
    return lambda asked: told if prompt_of(asked) == "bad" and next(left, -1) >= 0 else echo(asked)


def run(
    script: Callable[[Asked], Told],
    rows: list[Row],
    concurrency: int = 4,
    patience: Patience = AT_ONCE,
) -> tuple[list[Streamed], ScriptedServer]:
    with serve(script) as server:
        backend = open_toy(
            server.url, options=ModelOptions(concurrency=concurrency), patience=patience
        )
        found = [each for each in backend.stream(iter(rows), GREEDY) if each is not None]
        backend.close()
    return found, server


def ends(script: Callable[[Asked], Told], rows: list[Row] | None = None, **how: int) -> str:
    """The message that ends a session."""
    with pytest.raises(ModelError) as caught:
        run(script, rows or make_rows(8), **how)
    return str(caught.value)
