"""Outcomes that hold elsewhere: under another clock, after a wait, and as the final cases take them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_coderobust.harvest.cases import HarvestCall, HarvestCase
from pytest_coderobust.harvest.children import (
    TOO_LONG,
    CallRecording,
    Probed,
    explain_death,
    probe_module,
)
from pytest_coderobust.harvest.drafts import HarvestDraft
from pytest_coderobust.harvest.functions import HarvestFunction, find_functions
from pytest_coderobust.harvest.machine_reads import find_machine_read
from pytest_coderobust.harvest.modules import find_modules, search_folder
from pytest_coderobust.harvest.recounting import recount_branches

ODD = '''"""Odd."""
import datetime
import os
import queue
from datetime import date


def age(born: int) -> int:
    """The age in years."""
    return datetime.date.today().year - born


def stamp(add: int) -> int:
    """The day of the year, moved."""
    return datetime.datetime.now(datetime.timezone.utc).timetuple().tm_yday + add


def zone(add: int) -> int:
    """The hour when time began."""
    import time
    return time.localtime(add % 86400).tm_hour


def here(name: str) -> str:
    """A path here."""
    return os.path.abspath(name)


def mix(first: int, second: int) -> list[int]:
    """Two numbers, mixed: every other outcome is the same by luck."""
    import random
    return random.sample([first, second], 2)


def later(days: int) -> str:
    """A day after another, which has no clock."""
    day = date(2000, 1, 1) + datetime.timedelta(days % 1000)
    return day.isoformat() if isinstance(day, date) else "none"


def take(items: list[int]) -> int:
    """The sum of all items; of none it waits for the first."""
    waiting: "queue.Queue[int]" = queue.Queue()
    for item in items:
        waiting.put(item)
    return sum(waiting.get() for _ in (items or [0]))


def size(number: int) -> str:
    """The size of a number."""
    if number < 0:
        return "negative"
    if number > 9:
        return "large"
    return "small"
'''


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> dict[str, HarvestFunction]:
    folder = tmp_path_factory.mktemp("odd")
    (folder / "odd_alone.py").write_text(ODD)
    with search_folder(folder):
        functions, _ = find_functions(find_modules("odd_alone").modules)
    return {each.name: each for each in functions}


@pytest.fixture(scope="module")
def probed(
    odd: dict[str, HarvestFunction], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Probed]:
    home = odd["age"].module.path
    nothing = CallRecording({}, {}, 0, 0, None, {})
    with search_folder(home.parent):
        return probe_module(
            [*odd.values()], nothing, str(home), 0, tmp_path_factory.mktemp("probe")
        )


@pytest.mark.parametrize("name", ["age", "stamp", "zone", "here", "mix"])
def test_what_depends_on_clock_zone_folder_or_luck_is_left_out(
    name: str, probed: dict[str, Probed]
) -> None:
    assert probed[name].reason == "its result is not the same in every process"


@pytest.mark.parametrize("name", ["later", "size"])
def test_what_does_not_stays(name: str, probed: dict[str, Probed]) -> None:
    assert (probed[name].reason, probed[name].unstable) == ("", 0)
    assert len(probed[name].cases) > 10


def test_a_function_that_waits_is_left_out_by_name(probed: dict[str, Probed]) -> None:
    assert probed["take"].reason.startswith("it waits (for a queue")


def test_a_wait_ends_and_slow_work_is_no_wait(tmp_path: Path) -> None:
    program = """
import threading, time
from pytest_coderobust.harvest.cases import HarvestCall
from pytest_coderobust.harvest.barrier import Barrier
from pytest_coderobust.harvest.objects import HarvestOriginal
from pytest_coderobust.harvest.observing import UnusableCallError, observe
def stubborn(_):
    for _ in range(3):
        try: threading.Event().wait()
        except BaseException: pass
def spin(_):
    while True: pass
for deed, tick in ((time.sleep, 0.2), (stubborn, 0.2), (lambda n: threading.Lock().acquire() and n, 0.2),
                   (spin, 5.0)):
    barrier = Barrier(tick)
    try:
        print(barrier.waited, observe(HarvestOriginal(deed), HarvestCall((3600,)), barrier, "/", recorded=False).value)
    except UnusableCallError as error:
        print(barrier.waited, error)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    waits = "True it waits (for a queue, a lock, a sleep, another process)"
    assert ran.stdout.splitlines() == [waits, "False None", "False 3600", "False it takes long"]


def test_deaths_have_their_reasons() -> None:
    assert "900 seconds were over" in explain_death(TOO_LONG)
    assert explain_death("Segmentation fault") == "its process ended while it was called"


def test_branches_are_those_of_the_final_cases(
    odd: dict[str, HarvestFunction], tmp_path: Path
) -> None:
    function = odd["size"]
    home = str(function.module.path)

    def count(*numbers: int) -> tuple[int, int]:
        cases = tuple(HarvestCase(HarvestCall((number,))) for number in numbers)
        draft = HarvestDraft(function, (), cases, ())
        with search_folder(function.module.path.parent):
            (found,), lost = recount_branches([draft], home, tmp_path)
        assert lost == []
        return found.branches

    assert count(-1, 5, 12) == (4, 4)
    assert count(5) == (2, 4)
    assert count(-1) == (1, 4)


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("import platform\ndef f():\n    return platform.machine()\n", "platform.machine"),
        ("from platform import node as n\ndef f():\n    return n()\n", "platform.node"),
        ("import sys as s\ndef f():\n    return s.version_info[0]\n", "sys.version_info"),
        ("def f():\n    from os import environ\n    return environ\n", "os.environ"),
        ("import os\ng = lambda: os.getcwd()\ndef f():\n    return g()\n", "os.getcwd"),
        ("import os.path\ndef f(a):\n    return os.path.join(a, a)\n", ""),
        ("import sys\nNEW = sys.version_info > (3,)\ndef f(a):\n    return a + sys.maxsize\n", ""),
        ("def f(platform):\n    return platform.machine\n", ""),
    ],
)
def test_reads_of_the_machine_are_named(source: str, read: str) -> None:
    assert find_machine_read(source) == read


def test_every_clock_is_shifted_and_dates_stay_dates() -> None:
    program = """
import datetime, time
real_date, real, old_now = datetime.date, datetime.datetime, time.time()
from pytest_coderobust.harvest.shifting import SHIFT, shift_clock
shift_clock()
then = time.localtime(old_now + SHIFT)
near = lambda seconds: abs(seconds - old_now - SHIFT) < 600
for seconds in (time.time(), time.time_ns() / 1e9, time.mktime(time.localtime()),
                time.mktime(time.strptime(time.ctime())), time.mktime(time.strptime(time.asctime())),
                float(time.strftime("%s")), datetime.datetime.now().timestamp(),
                datetime.datetime.today().timestamp(),
                datetime.datetime.now(datetime.timezone.utc).timestamp(),
                datetime.datetime.utcnow().replace(tzinfo=datetime.timezone.utc).timestamp()):
    assert near(seconds), seconds
assert datetime.date.today() >= real_date.fromtimestamp(old_now + SHIFT)
assert time.gmtime(0).tm_year == 1970 and time.strftime("%Y", time.gmtime(0)) == "1970"
day = real_date(2000, 1, 2)
assert isinstance(day, datetime.date) and isinstance(real(2000, 1, 2), datetime.datetime)
assert isinstance(real(2000, 1, 2), datetime.date) and not isinstance(day, datetime.datetime)
assert issubclass(datetime.datetime, datetime.date) and datetime.date(2000, 1, 2) == day
class Own(datetime.date): pass
assert not isinstance(day, Own) and isinstance(Own(2000, 1, 2), Own)
assert repr(datetime.datetime(2000, 1, 2)) == repr(real(2000, 1, 2))
assert repr(datetime.date(2000, 1, 2)) == repr(day) and repr(Own(2000, 1, 2)) == "Own(2000, 1, 2)"
print(datetime.date.__name__)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("date\n", "")
