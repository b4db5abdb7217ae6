"""Sessions on a checkpoint that vLLM runs: measured once, resumed, planned, and never edited."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.hunt_model import write_suite
from support.models_checkpoints import save_random
from support.recorded_vllm import VERSIONS, RecordedVllm, Seen

from pytest_coderobust.errors import UsageError
from pytest_coderobust.records import Observation
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.planning import make_forecasts
from pytest_coderobust.session.session import Session, open_session

pytestmark = pytest.mark.usefixtures("one_thread")

NAMES = ("total", "summed", "added")
SECTIONS = (
    'perturbations = ["C1", "W2"]\n[sampling]\nn = 2\ntemperature = 0.8\nmax_new_tokens = 8\n'
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random(tmp_path_factory.mktemp("vllm"))


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Seen:
    return RecordedVllm(VERSIONS[-1], seed=1).install(monkeypatch, tmp_path / "site")


@contextmanager
def opened(tmp_path: Path, folder: Path, **chosen: object) -> Generator[Session]:
    suite = write_suite(tmp_path, NAMES, SECTIONS)
    choices = Choices(
        model=f"vllm:{folder}",
        ledger=tmp_path / "ledger.sqlite",
        sandbox_workers=1,
        **chosen,  # type: ignore[arg-type]
    )
    with open_session(choices, tmp_path) as session:
        found = session.suite(session.refer(suite))
        squares = [(task, cell) for cell in found.plan.cells for task in found.plan.tasks]
        session.want((found.reference, square) for square in squares)
        yield session


def measure(session: Session) -> list[Observation]:
    (suite,) = session.wanted
    single = suite.single
    single.want(suite.wanted)
    return [single.measure(suite.plan.tasks[t], c).observation for t, c in suite.wanted]


def test_a_suite_is_measured_in_one_stream_and_never_asked_twice(
    tmp_path: Path, folder: Path, seen: Seen
) -> None:
    with opened(tmp_path, folder) as session:
        first = measure(session)
    rows = len(NAMES) * 3 * 2
    assert [o.n for o in first] == [2] * (rows // 2)
    assert seen.in_work == rows, "the windows of all conditions are in work together"
    assert seen.events == ["load", "shutdown", "cleanup"], "closing the session frees the device"
    with opened(tmp_path, folder) as session:
        assert measure(session) == first
    assert len(seen.asked) == rows
    assert seen.events == ["load", "shutdown", "cleanup"], "nothing is loaded to read a ledger"


def test_a_killed_session_asks_what_it_had_not_stored(
    tmp_path: Path, folder: Path, seen: Seen
) -> None:
    class Killed(Exception): ...

    def die_after_five(session: Session) -> None:
        stream = session.backend.stream  # type: ignore[attr-defined]

        def dying(rows, sampling):  # type: ignore[no-untyped-def]
            for place, each in enumerate(stream(rows, sampling)):
                if place == 5:
                    raise Killed
                yield each

        session.backend.stream = dying  # type: ignore[attr-defined]

    with opened(tmp_path, folder, concurrency=4) as session:
        die_after_five(session)
        with pytest.raises(Killed):
            measure(session)
    assert seen.aborted
    with opened(tmp_path, folder) as session:
        found = measure(session)
    twice = len(seen.asked) - len(NAMES) * 3 * 2
    assert len(seen.aborted) <= twice <= 4, "what was in work is asked again, and nothing else"
    (tmp_path / "ledger.sqlite").unlink()
    with opened(tmp_path, folder) as session:
        assert measure(session) == found


def test_a_plan_counts_tokens_and_what_is_stored_without_loading(
    tmp_path: Path, folder: Path, seen: Seen
) -> None:
    with opened(tmp_path, folder) as session:
        (empty,) = make_forecasts(session, session.wanted, probe=False)
    assert (empty.asked, empty.stored, empty.known, empty.counted) == (18, 0, True, True)
    assert seen.loads == []
    with opened(tmp_path, folder) as session:
        measure(session)
        (full,) = make_forecasts(session, session.wanted, probe=False)
    assert (full.asked, full.stored) == (0, 18)
    assert empty.input == sum(len(asked["ids"]) for asked in seen.asked)


def test_edits_are_refused_and_the_way_out_is_named(
    tmp_path: Path, folder: Path, seen: Seen
) -> None:
    told = (
        rf"--edit ft: model 'vllm:{folder}' is run by vLLM, and editors change the weights of "
        rf"transformers' own models; leave vLLM out: --model={folder}"
    )
    with (
        pytest.raises(UsageError, match=told),
        opened(tmp_path, folder, edit=("ft",)) as session,
    ):
        measure(session)
    assert seen.loads == []
