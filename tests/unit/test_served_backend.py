"""Served models: rows go out side by side, and come back as they finish."""

from __future__ import annotations

from support.scripted_server import Asked, Told, serve
from support.served_models import GREEDY, completed, make_rows, open_toy, prompt_of


def echo(asked: Asked) -> Told:
    return completed(prompt_of(asked).upper())


def test_every_row_is_answered_once_and_in_order_by_generate() -> None:
    rows = make_rows(100)
    with serve(echo) as server:
        backend = open_toy(server.url)
        found = backend.generate(rows, GREEDY)
    assert [each.text for each in found] == [row.variant.prompt.upper() for row in rows]
    assert len(server.asked) == 100


def test_equal_rows_have_an_answer_each() -> None:
    row = make_rows(1)[0]
    with serve(echo) as server:
        found = open_toy(server.url).generate([row, row], GREEDY)
    assert [each.text for each in found] == [row.variant.prompt.upper()] * 2
