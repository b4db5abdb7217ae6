"""Packages in the cage: theirs are readable and nobody else's, and no hostile answer passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
from support.distributions import lay_distribution

from pytest_coderobust import records
from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Limits, Packages, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.cage.plan import LADDER
from pytest_coderobust.sandbox.calibration import calibrate
from pytest_coderobust.sandbox.check import Check, Sandbox
from pytest_coderobust.sandbox.packages.demand import demand_packages
from pytest_coderobust.sandbox.packages.resolve import resolve

LIMITS = Limits(cpu_seconds=3, wall_seconds=10)
BOTH, ARRAYS = ("numpy", "pandas"), ("numpy",)
HIDING = ("ns", "bwrap", "no-ns")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(1) as opened:
        yield opened


def make_check(solution: str, source: str, names: tuple[str, ...] = BOTH) -> Check:
    return Check(solution, "f", records.Tests(source, "asserts"), LIMITS, packages=resolve(names))


def run_check(
    sandbox: Sandbox, solution: str, source: str, names: tuple[str, ...] = BOTH
) -> Verdict:
    return sandbox.submit(make_check(solution, source, names)).result(timeout=120)


ORDINARY = [
    (
        "import numpy as np\ndef f(a, b=2):\n    return np.asarray(a) * b\n",
        (
            "import numpy as np\nassert (f([1, 2]) == np.array([2, 4])).all()\n"
            "assert f(np.ones((2, 3)), b=3).shape == (2, 3)\nassert f(np.float32(2)).dtype == np.float32\n"
            "np.testing.assert_allclose(f([0.1]), [0.2])\n"
        ),
    ),
    (
        "import numpy as np\ndef f(a):\n    return a.mean(), np.argmax(a), [a.max()], {'m': a.min()}\n",
        (
            "import numpy as np\nmean, at, top, low = f(np.array([1, 5, 2]))\n"
            "assert np.isclose(mean, 8 / 3)\nassert at == 1 and isinstance(at, np.integer)\n"
            "assert top == [5]\nassert low == {'m': 1}\n"
        ),
    ),
    (
        "def f(a):\n    a.sort()\n    a[0] = -1\n",
        (
            "import numpy as np\na = np.array([3, 1, 2])\nassert f(a) is None\n"
            "assert a.tolist() == [-1, 2, 3]\n"
        ),
    ),
    (
        "import pandas as pd\ndef f(df):\n    return df.groupby('k').sum()\n",
        (
            "import pandas as pd\ngot = f(pd.DataFrame({'k': ['a', 'a', 'b'], 'v': [1, 2, 3]}))\n"
            "pd.testing.assert_frame_equal(got, pd.DataFrame({'v': [3, 3]}, "
            "index=pd.Index(['a', 'b'], name='k')))\nassert got.loc['a', 'v'] == 3\n"
        ),
    ),
    (
        "def f(df):\n    df['c'] = df['a'] + 1\n    df.drop(columns='a', inplace=True)\n",
        (
            "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2], 'b': [3, 4]})\nf(df)\n"
            "assert list(df.columns) == ['b', 'c']\nassert df['c'].tolist() == [2, 3]\n"
        ),
    ),
    (
        "def f(s):\n    return s[s > 1].rename('big')\n",
        (
            "import pandas as pd\npd.testing.assert_series_equal(f(pd.Series([1, 2, 3])), "
            "pd.Series([2, 3], index=[1, 2], name='big'))\n"
        ),
    ),
    (
        "import numpy as np\ndef f(n):\n    return np.random.rand(n)\n",
        "import numpy as np\nassert f(2).round(6).tolist() == [0.417022, 0.720324]\n",
    ),
]


@pytest.mark.parametrize(("solution", "source"), ORDINARY)
def test_ordinary_tests_work_outside_the_cage(sandbox: Sandbox, solution: str, source: str) -> None:
    for _ in range(2):  # with calls one by one, then foreseen
        verdict = run_check(sandbox, solution, source)
        assert verdict.full, verdict.detail
        assert not verdict.in_process


def test_a_wrong_answer_is_told_with_its_values(sandbox: Sandbox) -> None:
    verdict = run_check(
        sandbox,
        "import numpy as np\ndef f(a):\n    return a + 1\n",
        "import numpy as np\nassert (f(np.array([1, 2])) == np.array([1, 2])).all()\n",
    )
    assert verdict.failure == "wrong-answer"
    assert verdict.detail.endswith("f(array([1, 2])) returned array([2, 3])")


EXPECTED = "np.array([1, 2, 3])"
HOSTILE = {
    "always-equal-object": (
        (
            "class Yes:\n    def __eq__(self, other):\n        return np.ones(3, bool)\n"
            "    def all(self):\n        return True\n"
            "    def __array__(self, *_, **__):\n        return np.array([1, 2, 3])\n"
            "    __array_priority__ = 1e9\n"
        ),
        "Yes()",
    ),
    "always-equal-subclass": (
        (
            "class Yes(np.ndarray):\n    def __eq__(self, other):\n        return np.ones(3, bool)\n"
            "    __ne__ = lambda self, other: np.zeros(3, bool)\n"
        ),
        "np.zeros(3, int).view(Yes)",
    ),
    "array-function": (
        (
            "class Yes(np.ndarray):\n"
            "    def __array_function__(self, *_, **__):\n        return True\n"
            "    def __array_ufunc__(self, *_, **__):\n        return np.ones(3, bool)\n"
        ),
        "np.zeros(3, int).view(Yes)",
    ),
    "array-function-object": (
        (
            "class Yes:\n    shape, ndim, dtype, size = (3,), 1, np.dtype(int), 3\n"
            "    def __array_function__(self, *_, **__):\n        return True\n"
            "    def __array_ufunc__(self, *_, **__):\n        return np.ones(3, bool)\n"
        ),
        "Yes()",
    ),
    "objects": (
        "class Yes:\n    def __eq__(self, other):\n        return True\n    __hash__ = None\n",
        "np.array([Yes(), Yes(), Yes()], object)",
    ),
    "object-in-a-list": (
        "class Yes:\n    def __eq__(self, other):\n        return True\n",
        "[Yes(), Yes(), Yes()]",
    ),
    "scalar-subclass": (
        "class Yes(np.float64):\n    def __eq__(self, other):\n        return np.ones(3, bool)\n",
        "Yes(9)",
    ),
    "masked-all": ("", "np.ma.array([9, 9, 9], mask=True)"),
    "fields": ("", "np.zeros(3, [('a', int)])"),
    "series-subclass": (
        (
            "class Yes(pd.Series):\n    def __eq__(self, other):\n        return np.ones(3, bool)\n"
            "    equals = lambda self, other: True\n"
        ),
        "Yes([9, 9, 9])",
    ),
    "frame-subclass": (
        (
            "class Yes(pd.DataFrame):\n    def __eq__(self, other):\n        return np.ones(3, bool)\n"
            "    equals = lambda self, other: True\n    __array_ufunc__ = lambda *_, **__: np.ones(3, bool)\n"
        ),
        "Yes({'a': [9, 9, 9]})",
    ),
    "extension-array": (
        (
            "class Yes(pd.api.extensions.ExtensionArray):\n    dtype = np.dtype(int)\n"
            "    def __eq__(self, other):\n        return np.ones(3, bool)\n"
            "    def __len__(self):\n        return 3\n"
        ),
        "Yes()",
    ),
}
TESTS = {
    "elements": f"assert (f() == {EXPECTED}).all()\n",
    "reversed": f"assert ({EXPECTED} == f()).all()\n",
    "array-equal": f"assert np.array_equal(f(), {EXPECTED})\n",
    "allclose": f"assert np.allclose({EXPECTED}, f())\n",
    "testing": f"np.testing.assert_array_equal(f(), {EXPECTED})\n",
    "testing-equal": f"np.testing.assert_equal(f(), {EXPECTED})\n",
    "series": f"pd.testing.assert_series_equal(f(), pd.Series({EXPECTED}))\n",
    "frame": f"pd.testing.assert_frame_equal(f(), pd.DataFrame({{'a': {EXPECTED}}}))\n",
    "equals": f"assert f().equals(pd.Series({EXPECTED}))\n",
    "empty": "assert (f() == np.array([])).all()\n",
    "empty-reversed": "assert (np.array([]) == f()).all()\n",
}
IMPORTS = "import numpy as np\nimport pandas as pd\n"


@pytest.mark.parametrize("name", HOSTILE)
def test_no_hostile_answer_passes(sandbox: Sandbox, name: str) -> None:
    given, answer = HOSTILE[name]
    for kind, source in TESTS.items():
        if name == "scalar-subclass" and kind.startswith("empty"):
            continue  # any number at all equals each of no elements, in plain Python too
        verdict = run_check(
            sandbox, f"{IMPORTS}{given}def f():\n    return {answer}\n", IMPORTS + source
        )
        assert not verdict.full, kind
        assert verdict.passed == 0, kind


FORGED = {
    "huge-shape": '{"array":["<i8",[4611686018427387904],""]}',
    "negative-shape": '{"array":["<i8",[-3],""]}',
    "wrong-bytes": '{"array":["<i8",[3],"AQAAAAAAAAA="]}',
    "fields": '{"array":["i4,i4",[3],"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}',
    "object": '{"array":["|O",[1],"AAAAAAAAAAA="]}',
    "frame": '{"frame":[{"range_index":[null,0,1000000000000,1]},{"range_index":[null,0,0,1]},[]]}',
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_message_is_a_protocol_failure(sandbox: Sandbox, name: str) -> None:
    """The solution writes on the channel itself, in place of its process."""
    body = '{"value":' + FORGED[name] + "}"
    solution = (
        "import os\n"
        f"BODY = {body!r}.encode()\n"
        "def f():\n"
        "    for fd in range(3, 64):\n"
        "        try:\n            os.write(fd, len(BODY).to_bytes(8, 'big') + BODY)\n"
        "        except OSError:\n            pass\n"
        "    os._exit(0)\n"
    )
    source = f"{IMPORTS}assert (f() == np.zeros(3)).all()\n"
    for _ in range(2):
        verdict = run_check(sandbox, solution, source)
        assert (verdict.passed, verdict.failure) == (0, "protocol"), verdict


FOREIGN = ["pytest", "scipy", "hypothesis", "torch", "_pytest", "pip", "setuptools"]


@pytest.mark.parametrize("tier", LADDER)
def test_nothing_else_of_the_environment_is_there(tier: str) -> None:
    try:
        opened = open_sandbox(1, tiers=[tier], allow_unsafe=tier == "rlimits")
    except SandboxError as error:
        pytest.skip(str(error))
    imports = (
        "def f(name):\n    try:\n        __import__(name)\n    except ModuleNotFoundError:\n"
        "        return 'absent'\n    return 'there'\n"
    )
    asserts = "".join(f"assert f({name!r}) == 'absent'\n" for name in FOREIGN)
    own = "".join(
        f"assert f({name!r}) == 'there'\n" for name in ("numpy.fft", "pandas", "dateutil")
    )
    listing = (
        "import importlib.metadata\ndef f():\n"
        "    return sorted(d.name for d in importlib.metadata.distributions())\n"
    )
    site = Path(str(metadata.distribution("pytest").locate_file("")))
    reading = (
        "import os\ndef f(path):\n    try:\n        return open(path).read() if '.' in path[-4:] "
        "else os.listdir(path)\n    except OSError:\n        return 'refused'\n"
    )
    with opened:
        assert run_check(opened, imports, own + asserts).full
        names = [name for name, _ in resolve(BOTH).versions]
        assert run_check(opened, listing, f"assert f() == {names!r}\n").full
        if opened.tier in HIDING:
            paths = [str(site / "_pytest"), str(site / "pytest" / "__init__.py"), str(site)]
            refused = "".join(f"assert f({path!r}) == 'refused'\n" for path in paths)
            verdict = run_check(opened, reading, refused)
            assert verdict.full, verdict.detail
        # A check without packages, by the same workers, has none.
        bare = replace(make_check(imports, "assert f('numpy') == 'absent'\n"), packages=Packages())
        assert opened.submit(bare).result(timeout=60).full


def test_the_memory_that_packages_take_is_not_the_solutions(sandbox: Sandbox) -> None:
    solution = "def f():\n    return len(bytearray(150 << 20)) >> 20\n"
    check = make_check(solution, "assert f() == 150\n")
    limits = replace(LIMITS, memory_mb=230)
    assert sandbox.submit(replace(check, limits=limits)).result(timeout=60).full
    limits = replace(LIMITS, memory_mb=140)
    verdict = sandbox.submit(replace(check, limits=limits)).result(timeout=60)
    assert verdict.failure == "memory"


def test_what_the_wire_does_not_have_is_judged_in_process(sandbox: Sandbox) -> None:
    solution = "import numpy as np\ndef f():\n    return np.array(['a', None], dtype=object)\n"
    source = "import numpy as np\nassert f()[1] is None\nassert np.random.rand() < 0.6\n"

    def judge(checks: object) -> list[Verdict]:
        return [sandbox.submit(each).result(timeout=60) for each in checks]  # type: ignore[attr-defined]

    ((check, verdict),) = calibrate([make_check(solution, source)], judge)
    assert check.in_process
    assert verdict.full, verdict.detail


FORBIDDEN = {
    "packages-process": (
        "import subprocess\nsubprocess.run(['true'])\n",
        "needs what the cage forbids",
    ),
    "packages-network": ("import socket\nsocket.socket()\n", "needs what the cage forbids"),
    "packages-thread": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(999,), daemon=True).start()\n",
        "starts threads when it is imported",
    ),
    "packages-fork": (
        "import os, time\nif not os.fork():\n    time.sleep(999)\n",
        "it starts a process when it is imported",
    ),
    "packages-exit": ("import os\nos._exit(3)\n", "ends or hangs the interpreter"),
    "packages-broken": ("raise ValueError('not today')\n", "raises ValueError: not today"),
    "packages-file": ("open('/etc/passwd')\n", "/etc/passwd"),
    "packages-undeclared": (
        "import pytest\n",
        "raises ModuleNotFoundError: No module named 'pytest'",
    ),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_package_that_needs_what_the_cage_forbids_is_named_in_one_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    source, reason = FORBIDDEN[name]
    lay_distribution(tmp_path, name, {f"{name.replace('-', '_')}.py": source})
    with open_sandbox(1) as opened:
        for _ in range(2):  # nor the second time
            with pytest.raises(SandboxError) as caught:
                demand_packages(opened, resolve((name,)), "s.toml: [sandbox] packages")
            message = str(caught.value)
            assert message.startswith(f"s.toml: [sandbox] packages: {name!r} ")
            assert reason in message
            assert "\n" not in message
        assert run_check(opened, "def f():\n    return 1\n", "assert f() == 1\n", ARRAYS).full


def test_a_package_of_files_among_others_shows_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    files = {
        "space/ours/__init__.py": "HERE = 1\n",
        "packages_single.py": "from space import ours\n",
    }
    lay_distribution(tmp_path, "packages-single", files)
    lay_distribution(
        tmp_path, "packages-other", {"space/theirs/__init__.py": "", "other_one.py": ""}
    )
    source = (
        "import packages_single\ndef f(name):\n    try:\n        __import__(name)\n"
        "    except ImportError:\n        return False\n    return True\n"
    )
    tests = "assert f('space.ours')\nassert not f('space.theirs')\nassert not f('other_one')\n"
    for tier in ("ns", "bwrap", "no-ns"):
        try:
            opened = open_sandbox(1, tiers=[tier])
        except SandboxError:
            continue
        with opened:
            verdict = run_check(opened, source, tests, ("packages-single",))
            assert verdict.full, verdict.detail


def test_api_changes_are_for_solutions_and_not_for_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    own = "import os\ndef last(path):\n    return os.path.basename(path)\n"
    lay_distribution(tmp_path, "packages-user", {"packages_user.py": own})
    solution = (
        "import os, packages_user\ndef f(path):\n"
        "    if hasattr(os.path, 'basename'):\n        return 'old name is there'\n"
        "    return packages_user.last(path) + os.path.last_part(path)\n"
    )
    change = records.ApiChange("os.path.basename", "os.path.last_part")
    check = make_check(solution, "assert f('a/b') == 'bb'\n", ("packages-user",))
    with open_sandbox(1) as opened:
        verdict = opened.submit(replace(check, api_changes=(change,))).result(timeout=60)
    assert verdict.full, verdict.detail
    assert (verdict.api_uses[0].old, verdict.api_uses[0].new) == (1, 1)


def test_packages_are_loaded_before_the_solution_and_leave_one_thread(sandbox: Sandbox) -> None:
    solution = (
        "import os, sys\nLOADED = 'pandas' in sys.modules\n"
        "THREADS = len(os.listdir('/proc/self/task'))\ndef f():\n    return LOADED, THREADS\n"
    )
    verdict = run_check(sandbox, solution, "assert f() == (True, 1)\n")
    assert verdict.full, verdict.detail
