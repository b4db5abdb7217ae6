"""Gathers the answers of a stream in the order of its rows, for who wants all of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_coderobust.models.backend import Streamed
from pytest_coderobust.models.watch import find_watch
from pytest_coderobust.records import Completion, Row


def gather_streamed(answers: Iterable[Streamed | None], rows: Sequence[Row]) -> list[Completion]:
    """Gathers the answer of each row; the watch of this context hears of each as it comes."""
    places: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(id(row), []).append(place)
    watch = find_watch()
    found: dict[int, Completion] = {}
    for answer in filter(None, answers):
        place = places[id(answer.row)].pop()
        found[place] = answer.completion
        watch.wrote(answer.completion.tokens)
        watch.ended({place: answer.completion})
    return [found[place] for place in range(len(rows))]
