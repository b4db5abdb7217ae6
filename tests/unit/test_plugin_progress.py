"""Progress of generation: the pace is computed from events, and a log gets few lines."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.engine.events import (
    BatchAdvanced,
    BatchStarted,
    Event,
    HuntAdvanced,
    HuntStarted,
    RowsGenerated,
    WindowDone,
    WindowStarted,
)
from pytest_coderobust.plugin.pace import GenerationPace, format_seconds
from pytest_coderobust.plugin.progress import TerminalProgress

COUNTS = st.integers(1, 40)
SECONDS = st.floats(0.01, 1000.0)


@given(batches=COUNTS, size=COUNTS, reading=SECONDS, a_step=SECONDS, steps=COUNTS, at=st.data())
def test_the_estimate_is_right_where_every_batch_is_like_the_first(
    batches: int, size: int, reading: float, a_step: float, steps: int, at: st.DataObject
) -> None:
    """All rows write all the tokens they may: each event knows to the second what is left."""
    pace, a_batch = GenerationPace(batches * size), reading + steps * a_step
    finished = at.draw(st.integers(0, batches - 1))
    for number in range(finished):
        pace.start_batch(BatchStarted(size, steps), number * a_batch)
        pace.end_batch(RowsGenerated(size, size * steps), (number + 1) * a_batch)
    start, written = finished * a_batch, at.draw(st.integers(1, steps))
    pace.start_batch(BatchStarted(size, steps), start)
    assert (pace.seconds_left is None) is (finished == 0)
    pace.advance(BatchAdvanced(0.5, 0, 0, 0), start + reading / 2)
    pace.advance(BatchAdvanced(1.0, 0, 0, 0), start + reading)
    now = start + reading + written * a_step
    pace.advance(BatchAdvanced(1.0, size * written, written, 0), now)
    assert pace.seconds_left == pytest.approx(batches * a_batch - now, rel=1e-6, abs=1e-3)
    assert pace.tokens_per_second == pytest.approx(size / a_step, rel=1e-3)
    assert pace.done == finished * size


@given(
    rows=st.none() | st.integers(1, 100),
    moves=st.lists(st.tuples(SECONDS, st.floats(0, 1), COUNTS, COUNTS, st.booleans())),
)
def test_no_course_of_events_makes_a_pace_that_cannot_be(
    rows: int | None, moves: list[tuple[float, float, int, int, bool]]
) -> None:
    pace, now = GenerationPace(rows), 0.0
    pace.start_batch(BatchStarted(8, 100), now)
    for seconds, read, tokens, ended, ends in moves:
        now += seconds
        pace.advance(BatchAdvanced(read, tokens, tokens, min(ended, 8)), now)
        if ends:
            pace.end_batch(RowsGenerated(8, tokens), now)
            pace.start_batch(BatchStarted(8, 100), now)
        assert rows is None or 0 <= pace.done <= rows
        assert pace.seconds_left is None or pace.seconds_left >= 0
        assert pace.tokens_per_second is None or pace.tokens_per_second > 0
        assert "nan" not in pace.describe()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (89, "1 min"), (3570, "1 h 0 min"), (12000, "3 h 20 min")],
)  # fmt: skip
def test_seconds_are_told_as_people_do(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


class Log:
    """A session without a terminal, and a clock that is set by hand."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.now = 0.0
        reporter = SimpleNamespace(
            isatty=False, ensure_newline=lambda: None, write_line=self.lines.append
        )
        config: Any = SimpleNamespace(
            pluginmanager=SimpleNamespace(getplugin={"terminalreporter": reporter}.get),
            get_verbosity=lambda: 0,
        )
        self.listen = TerminalProgress(config, lambda: self.now)

    def hear(self, event: Event, seconds: float = 0.0) -> None:
        self.now += seconds
        self.listen(event)


def test_a_slow_batch_says_its_tokens_and_its_end() -> None:
    log = Log()
    log.hear(WindowStarted("quick", 2, 4, 64))
    log.hear(BatchStarted(32, 500))
    log.hear(BatchAdvanced(0.4, 0, 0, 0), 20)
    log.hear(BatchAdvanced(0.9, 0, 0, 0), 20)
    log.hear(BatchAdvanced(1.0, 640, 20, 3), 40)
    assert log.lines == [
        "coderobust: quick: window 2 of 4: 0 of 64 rows, reading prompts 40%",
        # Reading took 40 s and a step takes 2 s: a batch takes 1040 s, and two are left but 80 s.
        "coderobust: quick: window 2 of 4: 3 of 64 rows, 16 tokens/s, at most 33 min left",
    ]


def test_a_hunt_says_its_tokens_beside_its_tasks() -> None:
    log = Log()
    log.hear(HuntStarted("quick", 5))
    log.hear(HuntAdvanced(2, 1, 90), 1)
    log.hear(BatchStarted(8, 500))
    log.hear(BatchAdvanced(1.0, 40, 5, 3), 20)
    assert log.lines == ["coderobust: hunt on quick: 2 of 5, 1 broken, 90 completions, 2 tokens/s"]


@given(gaps=st.lists(st.floats(0, 40), max_size=60), every=st.integers(1, 9))
def test_a_line_a_minute_at_most_and_the_first_within_half_a_minute(
    gaps: list[float], every: int
) -> None:
    """Whatever the windows and the time between events: the clock is the events' own."""
    log, told = Log(), list[float]()
    log.hear(WindowStarted("quick", 1, 0, 100))
    log.hear(BatchStarted(100, 500))
    for number, gap in enumerate(gaps):
        if number % every == every - 1:
            log.hear(WindowDone())
            log.hear(WindowStarted("quick", number, 0, 100))
            log.hear(BatchStarted(100, 500))
        before = len(log.lines)
        log.hear(BatchAdvanced(1.0, 100, 1, 0), gap)
        told += [log.now] * (len(log.lines) - before)
        if every > len(gaps) and log.now >= 15:
            assert told, "events of one window came for 15 seconds"
    assert all(later - sooner >= 60 for sooner, later in pairwise(told))
