"""Shared fixtures: a small project with its own suite, which runs in real subprocesses."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from support.warm_pytest import can_be_warm, run_warm

if TYPE_CHECKING:
    from support.real_servers import RealServer

settings.register_profile("house", deadline=None)  # a busy machine must not fail a test
settings.load_profile("house")

FUNCTIONS = {
    "double": ("Return twice the given number, whatever its sign happens to be.", "2 * value"),
    "negate": ("Return the given number with the opposite sign.", "-value"),
    "square": ("Return the product of the given number with itself.", "value * value"),
    "halve": ("Return half of the given number, rounded towards the smaller side.", "value // 2"),
    "bump": ("Return the number that comes after the given number.", "value + 1"),
    "drop": ("Return the number that comes before the given number.", "value - 1"),
}
WRONG = "    return None\n"
RUN = ("-p", "no:cacheprovider", "--coderobust-sandbox-workers=1")


def task_row(index: int, name: str, prose: str, body: str) -> dict[str, object]:
    checks = "".join(
        f"    assert candidate({value}) == {eval(body, {'value': value})}\n"
        for value in (3, -4, 10)
    )
    return {
        "task_id": f"Toy/{index}",
        "prompt": f'def {name}(value):\n    """{prose}"""\n',
        "entry_point": name,
        "canonical_solution": f"    return {body}\n",
        "test": f"def check(candidate):\n{checks}",
    }


TASKS = [task_row(i, name, *rest) for i, (name, rest) in enumerate(FUNCTIONS.items())]


@dataclass
class Project:
    """A folder with tasks, a suite and recorded completions, in which tests run pytest."""

    pytester: pytest.Pytester
    tasks: list[dict[str, object]] = field(default_factory=lambda: [dict(row) for row in TASKS])

    @property
    def path(self) -> Path:
        return self.pytester.path

    def write_tasks(self, rows: Iterable[Mapping[str, object]] | None = None) -> Path:
        path = self.path / "tasks.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows or self.tasks))
        return path

    def write_suite(self, extra: str = "", *, name: str = "toy.toml", sections: str = "") -> Path:
        path = self.path / name
        path.write_text(f'[suite]\ntasks = "tasks.jsonl"\n{extra}\n{sections}\n', encoding="utf-8")
        return path

    def write_replay(self, answers: Mapping[tuple[str, str, int], str | list[str]]) -> str:
        """Writes completions by (task id, perturbation, seed); returns the model's name."""
        rows = [
            {"task_id": task, "perturbation": perturbation, "seed": seed, "completion": text}
            for (task, perturbation, seed), texts in answers.items()
            for text in ([texts] if isinstance(texts, str) else texts)
        ]
        path = self.path / "answers.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return "replay:answers.jsonl"

    def canonical(self, index: int) -> str:
        return str(self.tasks[index]["canonical_solution"])

    def record(
        self,
        *,
        broken: Iterable[int] = (),
        unsolved: Iterable[int] = (),
        cells: Iterable[str] = ("C1",),
    ) -> str:
        """Writes completions in which the given tasks break under every cell, or are unsolved.

        Returns the name of the model that replays them.
        """
        answers: dict[tuple[str, str, int], str | list[str]] = {}
        for index, row in enumerate(self.tasks):
            task = str(row["task_id"])
            good = WRONG if index in set(unsolved) else self.canonical(index)
            answers[task, "clean", 0] = good
            for cell in cells:
                answers[task, cell, 0] = WRONG if index in set(broken) else good
        return self.write_replay(answers)

    def run(self, *arguments: object) -> pytest.RunResult:
        """Runs pytest in a process of its own, in which libraries may be imported already."""
        if can_be_warm(os.environ):
            return run_warm(self.path, os.environ, *RUN, *map(str, arguments))
        return self.run_cold(*arguments)

    def run_cold(self, *arguments: object) -> pytest.RunResult:
        """Runs pytest in a new interpreter."""
        return self.pytester.runpytest_subprocess(*RUN, *map(str, arguments))

    def json(self, name: str = "out.json") -> dict[str, object]:
        found: dict[str, object] = json.loads((self.path / name).read_text())
        return found


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in ("PYTEST_ADDOPTS", "COLUMNS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    made = Project(pytester)
    made.write_tasks()
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium for the tests of a file; they are skipped where there is none."""
    from support.page_driver import open_browser

    opened = open_browser()
    yield opened
    opened.quit()


@pytest.fixture(scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's cache folder is one of this module's tests; it is empty at first."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Sets torch to one thread: fastest for small models, and sums have the same order anywhere."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def data() -> Path:
    """Returns the folder of real benchmark data; skips the test where there is none."""
    folder = os.environ.get("CODEROBUST_DATA")
    if not folder:
        pytest.skip("CODEROBUST_DATA names no folder of benchmark data")
    return Path(folder)


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the bundled model as a GGUF file; skips the test where none can be written."""
    pytest.importorskip("gguf", reason="the package gguf, which writes the file, is not installed")
    from support.tiny_gguf import write_gguf

    from pytest_coderobust.tiny import checkpoint_path

    return write_gguf(checkpoint_path(), tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture(scope="session")
def packed_gguf(tiny_gguf: Path) -> Path:
    """Returns the bundled model as a GGUF file most of whose tensors are in blocks of Q8_0."""
    from support.tiny_gguf import write_gguf

    from pytest_coderobust.tiny import checkpoint_path

    return write_gguf(checkpoint_path(), tiny_gguf.with_name("packed.gguf"), packed=True)


@pytest.fixture(scope="session")
def llama_server(tiny_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """Serves the bundled model with llama.cpp's own server, one for all tests of a process."""
    pytest.importorskip("xllamacpp", reason="xllamacpp, llama.cpp's server, is not installed")
    from support.real_servers import serve_gguf

    with serve_gguf(tiny_gguf, tmp_path_factory.mktemp("llama") / "log.txt") as server:
        yield server
