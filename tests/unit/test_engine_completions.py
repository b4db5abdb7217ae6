from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_coderobust.engine.completions import CompletionStore
from pytest_coderobust.engine.events import BatchStarted, RowsGenerated, silent
from pytest_coderobust.engine.keys import make_completion_key, make_noise_seed, make_verdict_key
from pytest_coderobust.errors import ModelError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.scripted import Scripted
from pytest_coderobust.models.watch import find_watch, unwatched
from pytest_coderobust.records import (
    Cell,
    Completion,
    Limits,
    Row,
    Sampling,
    Task,
    Tests,
    Variant,
)
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.languages.toolchain import find_tools, toolchain_version

TASK = Task("T/0", "def f():\n", "f", Tests("assert f() == 1", "asserts"), "    return 1\n")


class Recording(Scripted):
    """A scripted model that remembers every batch it was asked for."""

    keyed_by = "prompt"

    def __init__(self, batch_size: int, name: str = "recording") -> None:
        super().__init__(
            lambda row: f"{row.variant.prompt}/{row.sample}", name=name, batch_size=batch_size
        )
        self.batches: list[list[tuple[str, int]]] = []

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:
        self.batches.append([(row.variant.prompt, row.sample) for row in rows])
        return super().generate(rows, sampling)


@pytest.fixture
def ledger(tmp_path: Path):
    opened = Ledger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def variants(*prompts: str) -> list[Variant]:
    return [Variant(TASK, Cell("C1", seed), prompt) for seed, prompt in enumerate(prompts)]


def run(answers: CompletionStore, wanted: Sequence[Variant], sampling: Sampling) -> None:
    for _ in answers.generate(wanted, sampling):
        pass


def test_each_row_is_generated_once_and_read_back(ledger: Ledger) -> None:
    model = Recording(batch_size=2)
    answers = CompletionStore(model, ledger, silent)
    wanted = variants("a", "b", "ccc")
    sampling = Sampling(n=2, temperature=0.8)
    assert answers.missing(wanted, sampling) == 6
    assert answers.stored(wanted[0], sampling) is None
    run(answers, wanted, sampling)
    run(answers, wanted, sampling)
    assert answers.missing(wanted, sampling) == 0
    assert sorted(row for batch in model.batches for row in batch) == [
        (prompt, sample) for prompt in ("a", "b", "ccc") for sample in (0, 1)
    ]
    found = answers.stored(wanted[2], sampling)
    assert found is not None
    assert [completion.text for _, completion in found] == ["ccc/0", "ccc/1"]


def test_batches_are_cut_from_the_plan_never_from_what_is_missing(ledger: Ledger) -> None:
    sampling = Sampling()
    whole = Recording(batch_size=2)
    wanted = variants("aaaa", "bbb", "cc", "d")
    ledger_key = make_completion_key(whole, wanted[1], sampling, 0)
    ledger.add_completions({ledger_key: Completion("stored before", "eos", 1)})
    answers = CompletionStore(whole, ledger, silent)
    run(answers, wanted, sampling)
    assert whole.batches == [[("aaaa", 0), ("bbb", 0)], [("cc", 0), ("d", 0)]]
    found = answers.stored(wanted[1], sampling)
    assert found is not None
    assert found[0][1].text == "stored before"


def test_whole_batch_in_the_ledger_is_not_computed_again(ledger: Ledger) -> None:
    model = Recording(batch_size=2)
    run(CompletionStore(model, ledger, silent), variants("aaaa", "bbb"), Sampling())
    run(CompletionStore(model, ledger, silent), variants("aaaa", "bbb", "cc", "d"), Sampling())
    assert model.batches == [[("aaaa", 0), ("bbb", 0)], [("cc", 0), ("d", 0)]]


def test_rows_of_a_batch_commit_together(ledger: Ledger) -> None:
    class Dying(Recording):
        def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:
            if len(self.batches) == 1:
                raise KeyboardInterrupt
            return super().generate(rows, sampling)

    answers = CompletionStore(Dying(batch_size=2), ledger, silent)
    wanted = variants("aaaa", "bbb", "cc", "d")
    with pytest.raises(KeyboardInterrupt):
        run(answers, wanted, Sampling())
    assert [answers.stored(variant, Sampling()) is None for variant in wanted] == [
        False, False, True, True,
    ]  # fmt: skip


class Slow(Recording):
    """Tells the end of each row, and dies before the batch is whole if it is to."""

    def __init__(self, order: Sequence[int], dies_after: int | None) -> None:
        super().__init__(batch_size=len(order))
        self.order = order
        self.dies_after = dies_after

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:
        watch, answers = find_watch(), super().generate(rows, sampling)
        for count, place in enumerate(self.order):
            if count == self.dies_after:
                raise KeyboardInterrupt
            watch.wrote(1)
            watch.ended({place: answers[place]})
        return answers


@settings(deadline=None)
@given(order=st.permutations(range(5)), dies=st.integers(0, 4), stored=st.sets(st.integers(0, 4)))
def test_rows_that_ended_are_safe_before_their_batch(
    order: list[int], dies: int, stored: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A resumed batch is the same batch; what was stored stays, and the rest is as if undisturbed."""
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.sqlite")
    wanted = variants("aaaaa", "bbbb", "ccc", "dd", "e")
    dying, whole = Slow(order, dies), Slow(order, None)
    before = Completion("of an earlier run", "eos", 1)
    ledger.add_completions(
        {make_completion_key(dying, wanted[row], Sampling(), 0): before for row in stored}
    )
    answers = CompletionStore(dying, ledger, silent)
    if len(stored) < len(order):
        with pytest.raises(KeyboardInterrupt):
            run(answers, wanted, Sampling())
    safe = {row for row in range(5) if answers.stored(wanted[row], Sampling()) is not None}
    assert safe == (stored | set(order[:dies]) if len(stored) < len(order) else stored)
    resumed = CompletionStore(whole, ledger, silent)
    run(resumed, wanted, Sampling())
    assert whole.batches == dying.batches or len(safe) == len(order)
    for row, variant in enumerate(wanted):
        found = resumed.stored(variant, Sampling())
        assert found is not None
        assert found[0][1].text == (before.text if row in stored else f"{variant.prompt}/0")
    ledger.close()


def test_a_model_that_is_asked_in_between_stores_nothing(ledger: Ledger) -> None:
    class Asking(Recording):
        def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:
            with unwatched():
                find_watch().ended({0: Completion("of another model", "eos", 1)})
            return super().generate(rows, sampling)

    answers = CompletionStore(Asking(1), ledger, silent)
    run(answers, variants("a"), Sampling())
    found = answers.stored(variants("a")[0], Sampling())
    assert found is not None
    assert found[0][1].text == "a/0"


def test_equal_prompts_are_asked_once(ledger: Ledger) -> None:
    model = Recording(batch_size=8)
    run(CompletionStore(model, ledger, silent), variants("same", "same"), Sampling())
    assert model.batches == [[("same", 0)]]


def test_progress_is_told_by_rows(ledger: Ledger) -> None:
    heard: list[object] = []
    run(CompletionStore(Recording(2), ledger, heard.append), variants("a", "b", "c"), Sampling())
    assert heard == [
        BatchStarted(2, 512), RowsGenerated(2), BatchStarted(1, 512), RowsGenerated(1),
    ]  # fmt: skip


def test_model_that_loses_rows_is_an_error(ledger: Ledger) -> None:
    class Losing(Recording):
        def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:
            return super().generate(rows, sampling)[1:]

    with pytest.raises(ModelError, match="answered 1 of 2 rows"):
        run(CompletionStore(Losing(2), ledger, silent), variants("a", "b"), Sampling())


def test_completion_key_changes_with_everything_that_may_change_the_answer() -> None:
    model, sampling = Recording(4), Sampling(temperature=0.5)
    variant = Variant(TASK, Cell(), "prompt")
    base = make_completion_key(model, variant, sampling, 0)
    others = [
        make_completion_key(Recording(4, "another"), variant, sampling, 0),
        make_completion_key(Recording(8), variant, sampling, 0),
        make_completion_key(model, replace(variant, prompt="prompt "), sampling, 0),
        make_completion_key(model, variant, sampling, 1),
        *(
            make_completion_key(model, variant, changed, 0)
            for changed in (
                replace(sampling, temperature=0.6), replace(sampling, top_p=0.9),
                replace(sampling, max_new_tokens=9), replace(sampling, stop=("\n",)),
                replace(sampling, seed=1),
            )
        ),
    ]  # fmt: skip
    assert len({base, *others}) == 1 + len(others)
    assert make_completion_key(model, variant, replace(sampling, n=9), 0) == base
    assert make_completion_key(model, replace(variant, cell=Cell("C1", 3)), sampling, 0) == base


def test_recordings_are_keyed_by_task_and_cell() -> None:
    model = Scripted(lambda _row: "", batch_size=4)
    variant = Variant(TASK, Cell(), "prompt")
    keys = {
        make_completion_key(model, each, Sampling(), 0)
        for each in (
            variant,
            replace(variant, cell=Cell("C1", 0)),
            replace(variant, task=replace(TASK, id="T/1")),
        )
    }
    assert len(keys) == 3


def test_noise_is_the_same_for_every_model_and_differs_by_prompt_and_sample() -> None:
    variant, sampling = Variant(TASK, Cell(), "prompt"), Sampling(temperature=0.8)
    seeds = {
        make_noise_seed(variant, sampling, 0), make_noise_seed(variant, sampling, 1),
        make_noise_seed(replace(variant, prompt="x"), sampling, 0),
        make_noise_seed(variant, replace(sampling, seed=1), 0),
    }  # fmt: skip
    assert len(seeds) == 4
    assert make_noise_seed(replace(variant, cell=Cell("C1", 4)), sampling, 0) in seeds


def test_verdict_key_changes_with_everything_that_may_change_the_verdict() -> None:
    check = Check("def f(): pass", "f", Tests("assert f()", "asserts"))
    keys = {
        make_verdict_key(check, "ns"), make_verdict_key(check, "rlimits"),
        make_verdict_key(replace(check, solution="def f(): return 1"), "ns"),
        make_verdict_key(replace(check, entry_point="g"), "ns"),
        make_verdict_key(replace(check, tests=replace(check.tests, source="assert not f()")), "ns"),
        make_verdict_key(replace(check, tests=replace(check.tests, helpers="x = 1")), "ns"),
        make_verdict_key(replace(check, limits=Limits(cpu_seconds=6)), "ns"),
    }  # fmt: skip
    assert len(keys) == 7


@given(st.text(), st.text())
def test_keys_of_unequal_prompts_differ(one: str, other: str) -> None:
    model = Recording(4)
    keys = [
        make_completion_key(model, Variant(TASK, Cell(), prompt), Sampling(), 0)
        for prompt in (one, other)
    ]
    assert (keys[0] == keys[1]) is (one == other)


def test_verdict_key_changes_with_the_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Check(
        "int f() { return 1; }", "f", Tests("assert(f() == 1);", "asserts"), language="cpp"
    )
    keys = set[str]()
    for version in ("g++ 12.2", "g++ 13.1", "g++ 12.2"):
        for name in ("g++", "as", "ld"):
            (tmp_path / name).write_text(f"#!/bin/sh\necho '{version}'\n")
            (tmp_path / name).chmod(0o755)
        with monkeypatch.context() as patch:
            patch.setenv("PATH", str(tmp_path), prepend=":")
            for cached in (find_tools, toolchain_version):
                cached.cache_clear()
            keys.add(make_verdict_key(check, "ns"))
    for cached in (find_tools, toolchain_version):
        cached.cache_clear()
    assert len(keys) == 2
