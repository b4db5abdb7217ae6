"""Benchmark of knowledge edits: the protocol, its control, refusals, and going on where it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from support.editors_contract import QUICK, fingerprint, traces
from support.models_checkpoints import backend, llama, save, save_random
from transformers import AutoTokenizer

from pytest_coderobust.edit_bench.asking import ask_case, explain_unfit
from pytest_coderobust.edit_bench.editors import read_editors, split_editors
from pytest_coderobust.edit_bench.measuring import CaseMeter, measure_all
from pytest_coderobust.edit_bench.memory import AskSettings, BenchMemory
from pytest_coderobust.edit_bench.plan import BenchPart, BenchPlan
from pytest_coderobust.edit_bench.result import BenchResult
from pytest_coderobust.edit_bench.writing import TextWriter
from pytest_coderobust.editors.answer_requests import (
    judge_by_match,
    make_answer_request,
    make_answer_task,
)
from pytest_coderobust.editors.finetuning import ConstrainedFineTuning
from pytest_coderobust.editors.registry import EDITORS, EditorSpec, parse_edit
from pytest_coderobust.errors import ModelError, UsageError
from pytest_coderobust.knowledge.reading import read_case_set
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.records.edit_scores import AnswerScores
from pytest_coderobust.records.knowledge import KnowledgeCase
from pytest_coderobust.reporting.terminal.knowledge import render_bench
from pytest_coderobust.tiny import checkpoint_path
from pytest_coderobust.tiny.sample import TrainingSample
from pytest_coderobust.tiny.suite import quickstart

ABLE = [name for name in QUICK if EDITORS[name].takes != "nothing"]


def spec_of(text: str) -> EditorSpec:
    found = parse_edit(text)
    assert isinstance(found, EditorSpec)
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A random Llama of two layers that reads as `tiny` does."""
    tokenizer = AutoTokenizer.from_pretrained(checkpoint_path())
    folder = tmp_path_factory.mktemp("model")
    return backend(save(folder, llama(tokenizer, window=512), tokenizer))


@pytest.fixture(scope="module")
def tiny() -> Any:
    return open_backend("tiny", options=ModelOptions())


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    made = Ledger(tmp_path_factory.mktemp("ledger") / "l.sqlite")
    yield made
    made.close()


@pytest.fixture(scope="module")
def cases() -> tuple[KnowledgeCase, ...]:
    return read_case_set("tiny:cases").cases[:5]


@pytest.fixture(scope="module")
def result(model: Any, ledger: Ledger, cases: tuple[KnowledgeCase, ...]) -> BenchResult:
    """Five cases of the bundled set under every editor."""
    memory = BenchMemory(model, ledger, AskSettings())
    editors = read_editors(["denoise", *(QUICK[name] for name in ABLE)], training=False)
    plan = BenchPlan(memory, "tiny:cases", (BenchPart(cases),), editors)
    before = (fingerprint(model), traces(model))
    failed = measure_all(plan, model, lambda *_: None)
    assert failed == {}
    assert (fingerprint(model), traces(model)) == before
    return plan.conclude(failed)


def test_every_editor_is_measured_or_says_why_not(result: BenchResult) -> None:
    assert [each.label.partition(":")[0] for each in result.editors] == ["denoise", *ABLE]
    unable, *others = result.editors
    assert unable.unable == "denoise learns nothing from a request, so it cannot be told an answer"
    for numbers in others:
        assert len(numbers.scores) == 5
        assert not numbers.unable
        for scores in numbers.scores:
            assert bool(scores.refused) == (scores.seconds is None)
        assert {(each.aspect, each.score) for each in numbers.means} == {
            (each.aspect, each.score) for each in result.control.means
        }


def test_the_control_is_unchanged_and_edits_are_not(result: BenchResult) -> None:
    control = {(each.aspect, each.score): each.mean.value for each in result.control.means}
    assert control["specificity", "em_all"] == control["specificity", "em_each"] == 1.0
    assert control["effectiveness", "em"] == 0.0
    moved = [
        each.label
        for each in result.editors
        if each.scores and any(
            replace(a, seconds=None, peak_bytes=None) != b
            for a, b in zip(each.scores, result.control.scores, strict=True)
        )
    ]  # fmt: skip
    assert len(moved) > len(ABLE) / 2


def test_the_table_names_every_editor(result: BenchResult) -> None:
    text = render_bench(result, 160, colour=False, encoding="utf-8")
    assert text.startswith("5 cases of tiny:cases on ")
    for numbers in result.editors:
        assert numbers.label[:40] in text
    assert "denoise was not measured: denoise learns nothing" in text
    assert "specificity: neighbours are answered as before" in text
    plain = render_bench(result, 160, colour=False, encoding="ascii")
    assert plain.isascii()


def test_what_was_measured_is_not_measured_again(
    model: Any, ledger: Ledger, cases: tuple[KnowledgeCase, ...], result: BenchResult
) -> None:
    memory = BenchMemory(model, ledger, AskSettings())
    spec = spec_of(QUICK["ft"])
    known = memory.read(spec).scores
    assert len(known) == 5
    more = read_case_set("tiny:cases").cases[4:6]
    meter = CaseMeter(model, memory)
    heard: list[int] = []
    meter.measure_control(more, heard.append)
    assert heard == [2]  # the first of the two was there
    assert list(meter.measure_editor(spec, more)) == list(more[1:])
    found = memory.read(spec).scores
    assert {key: found[key] for key in known} == known  # times too
    assert len(found) == 6
    other = BenchMemory(model, ledger, AskSettings(seed=1))
    assert other.read(spec).scores == {}


def test_a_refused_case_keeps_the_scores_of_the_unedited_model(
    model: Any, ledger: Ledger, cases: tuple[KnowledgeCase, ...], result: BenchResult
) -> None:
    memory = BenchMemory(model, ledger, AskSettings())
    plan = BenchPlan(
        memory, "x", (BenchPart(cases[:2]),), read_editors(["grace:gain=1,steps=1"], training=False)
    )
    assert measure_all(plan, model, lambda *_: None) == {}
    (numbers,) = plan.conclude({}).editors
    assert numbers.refusals == 2
    assert all("GRACE lowered its loss by" in reason for reason in numbers.refused)
    assert [replace(each, refused="") for each in numbers.scores] == list(result.control.scores[:2])
    assert all(each.gain is not None and each.gain.value == 0 for each in numbers.means)


def test_an_editor_that_fails_ends_no_other(
    model: Any, ledger: Ledger, cases: Sequence[KnowledgeCase], result: BenchResult
) -> None:
    memory = BenchMemory(model, ledger, AskSettings())
    editors = read_editors(["rome:layer=9", "ft:steps=1"], training=False)
    plan = BenchPlan(memory, "x", (BenchPart(tuple(cases[:1])),), editors)
    failed = measure_all(plan, model, lambda *_: None)
    assert list(failed) == ["rome:layer=9"]
    assert "layer 9 is out of range" in failed["rome:layer=9"]
    first, second = plan.conclude(failed).editors
    assert first.unable == failed["rome:layer=9"]
    assert len(second.scores) == 1


def test_an_error_that_is_no_refusal_is_not_kept(
    model: Any, ledger: Ledger, cases: Sequence[KnowledgeCase], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be gone the next time, and then every case is measured."""
    memory = BenchMemory(model, ledger, AskSettings(seed=7))
    editors = read_editors(["memit:tokens=10", "ft:layer=0,steps=1"], training=False)
    plan = BenchPlan(memory, "x", (BenchPart(tuple(cases[:2])),), editors)
    with monkeypatch.context() as patch:
        patch.setattr(ConstrainedFineTuning, "compute", fail)
        failed = measure_all(plan, model, lambda *_: None)
    memit, ft = plan.conclude(failed).editors
    assert "too few for a covariance" in memit.unable
    assert ft.unable == "memory does not suffice"
    assert all(memory.read(each.spec).scores == {} for each in editors)
    failed = measure_all(plan, model, lambda *_: None)
    assert list(failed) == ["memit:tokens=10"]
    assert len(plan.conclude(failed).editors[1].scores) == 2


def fail(*_: object) -> None:
    raise ModelError("memory does not suffice")


def test_a_case_without_a_rewrite_is_refused_by_who_wants_a_pair(
    model: Any, ledger: Ledger, cases: Sequence[KnowledgeCase]
) -> None:
    memory = BenchMemory(model, ledger, AskSettings(seed=8))
    bare = replace(cases[0], rewrites=(), neighbours=cases[0].neighbours[:1])
    editors = read_editors([QUICK["creme"]], training=False)
    plan = BenchPlan(memory, "x", (BenchPart((bare,)),), editors)
    assert measure_all(plan, model, lambda *_: None) == {}
    (numbers,) = plan.conclude({}).editors
    assert list(numbers.refused) == [f"{bare.id} has no rewrite, and creme wants a pair of prompts"]


def test_own_answers_are_those_of_the_weights(tmp_path: Path, ledger: Ledger) -> None:
    case = KnowledgeCase("a", "p", "t", (), ("def f():\n", "x = 1\n"))
    own: list[dict[str, str]] = []
    for seed in (0, 1):
        model = backend(save_random(tmp_path / str(seed), seed=seed))
        memory = BenchMemory(model, ledger, AskSettings())
        assert memory.read_own_answers(case.neighbours) == {}
        CaseMeter(model, memory).measure_control([case], lambda _: None)
        own.append(memory.read_own_answers(case.neighbours))
        assert list(own[-1])
        assert memory.read(None).scores[case.digest].specificity is not None
    assert own[0] != own[1]


def test_a_model_that_knows_the_answer_scores_1(tiny: Any) -> None:
    """The bundled model is told the answers of its own suite, which it knows."""
    writer = TextWriter(tiny)
    known = [sample for sample in quickstart()[:6] if _answers(writer, sample)]
    assert len(known) >= 2
    first, second = sorted(known[:2], key=lambda sample: len(sample.answer))
    case = make_case(first)
    text, length = writer.fit_answer(case)
    assert (text, length) == (first.answer, len(tiny.tokenizer(first.answer)["input_ids"]))
    scores = ask_case(writer, case, [], AskSettings(natural=True))
    assert scores.effectiveness == scores.generalisation == scores.natural_effectiveness
    assert scores.effectiveness.em == 1.0
    # Asked for more tokens than it has, the model ends; rows that ended are filled to the width.
    _, longer = writer.fit_answer(make_case(second))
    texts = writer.greedy([first.prompt, second.prompt], longer)
    assert texts == [first.answer + "<|end|>" * (longer - length), second.answer]
    blank = replace(case, target=f"{case.target}\n", tail="")  # as a row of CoNaLa may have it
    assert ask_case(writer, blank, [], AskSettings()).effectiveness == scores.effectiveness
    more = replace(case, target=f"{case.target}\n    pass")
    scores = ask_case(writer, more, [], AskSettings(natural=True))
    assert scores.effectiveness.em == 0.0
    assert scores.natural_effectiveness is not None
    assert scores.natural_effectiveness.em == 0.0


def make_case(sample: TrainingSample) -> KnowledgeCase:
    target = sample.answer.strip()
    return KnowledgeCase("a", sample.prompt, target, (sample.prompt,), (), "    ", "\n")


def _answers(writer: TextWriter, sample: TrainingSample) -> bool:
    return writer.natural([sample.prompt], 64) == [sample.answer]


@pytest.mark.parametrize("kind", ["byte-level", "sentence-piece"])
def test_an_answer_is_taught_behind_one_blank(kind: str, tmp_path: Path) -> None:
    """Whether the tokenizer writes a blank before a text by itself, or not."""
    model: Any = backend(save_random(tmp_path, kind=kind))
    case = KnowledgeCase("a", "Intent: two\nCode:", "return 2")
    text, length = TextWriter(model).fit_answer(case)
    assert text == {"byte-level": " return 2", "sentence-piece": "return 2"}[kind]
    ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]
    whole = model.tokenizer.decode([*model.encode(case.prompt, "python"), *ids])
    assert whole.endswith("Code: return 2")
    assert length == len(ids)


def test_sampled_texts_follow_from_their_seed(model: Any) -> None:
    writer = TextWriter(model)
    state = torch.random.get_rng_state()
    first = writer.sample(["def f(", "x"], 12, 3)
    assert writer.sample(["def f(", "x"], 12, 3) == first
    assert writer.sample(["def f(", "x"], 12, 4) != first
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_case_that_does_not_fit_is_left_out_with_its_reason(
    tmp_path: Path, ledger: Ledger
) -> None:
    model: Any = backend(save_random(tmp_path, window=100))
    memory = BenchMemory(model, ledger, AskSettings())
    cases = (KnowledgeCase("long", "x" * 90, "t"), KnowledgeCase("short", "x", "t"))
    plan = BenchPlan(memory, "x", (BenchPart(cases),), read_editors(["ft:steps=1"], training=False))
    assert measure_all(plan, model, lambda *_: None) == {}
    found = plan.conclude({})
    assert (found.cases, [each.case for each in found.editors[0].scores]) == (1, ["short"])
    assert "tokens of prompt and answer, window of 100" in found.left_out["long"]
    assert "left out: long: " in render_bench(found, 160, colour=False, encoding="utf-8")


def test_cases_of_two_halves_are_told_apart(tmp_path: Path, ledger: Ledger) -> None:
    """Ids are unique in a half only, and both halves may count from 0."""
    model: Any = backend(save_random(tmp_path, window=100))
    memory = BenchMemory(model, ledger, AskSettings(seed=5))
    halves = [
        (KnowledgeCase("0", sign * 90, "t"), KnowledgeCase("1", sign, "t")) for sign in ("x", "y")
    ]
    parts = tuple(BenchPart(cases, name=name) for cases, name in zip(halves, "ab", strict=True))
    plan = BenchPlan(memory, "a", parts, read_editors(["ft:steps=1"], training=False))
    assert measure_all(plan, model, lambda *_: None) == {}
    found = plan.conclude({})
    assert list(found.left_out) == ["a: 0", "b: 0"]
    assert [each.case for each in found.editors[0].scores] == ["a: 1", "b: 1"]


def test_a_natural_answer_fits_into_the_window_to_the_token(tmp_path: Path) -> None:
    """The longest of what is asked decides: twice the target and 64 tokens more."""
    case = KnowledgeCase("a", "x" * 20, "t", ("y" * 21,))
    roomy = TextWriter(backend(save_random(tmp_path / "roomy", window=512)))
    _, length = roomy.fit_answer(case)
    needed = roomy.count(case.rewrites[0]) + 2 * length + 64
    for window, fits in ((needed, True), (needed - 1, False)):
        writer = TextWriter(backend(save_random(tmp_path / str(window), window=window)))
        told = explain_unfit(writer, case, natural=True)
        assert told == ("" if fits else f"{needed} tokens of prompt and answer, window of {window}")
        assert explain_unfit(writer, case, natural=False) == ""
        if fits:  # and the model is asked just so
            scores = ask_case(writer, case, [], AskSettings(natural=True))
            assert scores.natural_generalisation is not None


def test_a_request_takes_the_form_that_its_editor_wants() -> None:
    task = make_answer_task("a", "p", "t")
    prompt = make_answer_request(spec_of("ft"), task, " t", ("r", "s"))
    assert (prompt.clean, prompt.perturbed, prompt.target) == ("p", "p", " t")
    pair = make_answer_request(spec_of("creme"), task, " t", ("r", "s"))
    assert (pair.clean, pair.perturbed, pair.target) == ("p", "r", " t")
    with pytest.raises(ModelError, match="a has no rewrite, and creme wants a pair of prompts"):
        make_answer_request(spec_of("creme"), task, " t")
    with pytest.raises(UsageError, match="denoise learns nothing from a request"):
        make_answer_request(spec_of("denoise"), task, " t", ("r",))
    assert judge_by_match(task, [" t\n", "t", "tt", ""]) == [True, True, False, False]


def test_editors_are_split_at_the_commas_between_them() -> None:
    assert split_editors(["ft, rome:layer=5,lr=0.5,grace"]) == [
        "ft",
        "rome:layer=5,lr=0.5",
        "grace",
    ]
    assert split_editors(["rome:layer=5", "ft", "ft"]) == ["rome:layer=5", "ft"]
    assert split_editors(["all"]) == list(EDITORS)
    with pytest.raises(UsageError, match="unknown editor 'rom'; did you mean 'rome'"):
        read_editors(["rom"], training=False)
    with pytest.raises(UsageError, match="--edit names no editor"):
        read_editors([","], training=False)


def test_scores_without_rewrites_or_neighbours_are_none(model: Any) -> None:
    scores = ask_case(TextWriter(model), KnowledgeCase("a", "p", "t"), [], AskSettings())
    assert scores.generalisation is None
    assert scores.specificity is None
    assert isinstance(scores.effectiveness, AnswerScores)
