"""vLLM in this process, without vLLM: real signatures, and transformers behind them."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from support.models_checkpoints import BODY, OTHER, OTHER_BODY, PROMPT, REST, row, save_memorised
from support.recorded_vllm import VERSIONS, RecordedVllm, Seen, pretend_installed

from pytest_coderobust.errors import ModelError, UsageError
from pytest_coderobust.models.backend import Streamed, is_streaming
from pytest_coderobust.models.loaded_model import read_end_tokens
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.registry import (
    open_backend,
)
from pytest_coderobust.models.vllm.engine import VllmAsking
from pytest_coderobust.models.vllm.stream import VllmRow, VllmStream
from pytest_coderobust.records import Completion, Row, Sampling

pytestmark = pytest.mark.usefixtures("one_thread")

TEXTS = [(PROMPT, BODY + REST), (OTHER, OTHER_BODY)]
NEWEST = VERSIONS[-1]
SAMPLED = Sampling(n=2, temperature=0.8, top_p=0.95, max_new_tokens=12)
STOPS = ("\ndef ", "\nassert ", "\nclass ", "\nif __name__", "\n#", "\n@", "never")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are no workers of xdist, whoever runs them: a worker hands its engine on."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tokenizer and network of Llama's form: the first space of a text is lost when decoding."""
    return save_memorised(tmp_path_factory.mktemp("vllm"), "sentence-piece", TEXTS)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Seen:
    return RecordedVllm(NEWEST).install(monkeypatch, tmp_path / "site")


def open_vllm(folder: Path, **options: Any) -> Any:
    return open_backend(f"vllm:{folder}", options=ModelOptions(**options))


def list_rows(samples: int = 1) -> list[Row]:
    prompts = [PROMPT, OTHER, "", "x = ", "\ud800 \x00 é", PROMPT * 4]
    return [row(p, k, noise=7 * k + len(p)) for p in prompts for k in range(samples)]


def tell(found: Completion) -> tuple[object, ...]:
    return (found.text, found.finish, found.tokens, found.thought_tokens, found.opened)


@pytest.mark.parametrize("named", VERSIONS)
@pytest.mark.parametrize("sampling", [Sampling(max_new_tokens=8, stop=STOPS), SAMPLED])
def test_every_call_binds_to_the_real_signatures(
    named: str, sampling: Sampling, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = RecordedVllm(named).install(monkeypatch, tmp_path)
    model = open_vllm(folder)
    model.generate(list_rows(sampling.n), sampling)
    stream = model.stream(iter(list_rows(sampling.n)), sampling)
    next(stream)
    stream.close()
    model.close()
    assert seen.events == ["load", "shutdown", "cleanup"]
    assert seen.aborted, "a stream that is closed early gives up what is in work"


def test_greedy_answers_are_those_of_the_checkpoint_itself(folder: Path, seen: Seen) -> None:
    own = open_backend(str(folder))
    for sampling in (
        Sampling(max_new_tokens=60),
        Sampling(max_new_tokens=5),
        Sampling(max_new_tokens=60, stop=STOPS),
    ):
        rows = list_rows()
        expected = [tell(each) for each in own.generate(rows, sampling)]
        assert [tell(each) for each in open_vllm(folder).generate(rows, sampling)] == expected
        assert {"eos", "length", "stop"} & {finish for _, finish, *_ in expected}
    first = open_vllm(folder).generate([row(PROMPT)], Sampling(max_new_tokens=60))[0]
    assert first.text == BODY + REST
    assert (first.text[:1], first.finish) == (" ", "eos")
    assert {len(asked["ids"]) for asked in seen.asked} == {
        len(own.encode(each.variant.prompt, "python")) for each in list_rows()
    }


def test_a_row_is_asked_as_the_note_says(folder: Path, seen: Seen) -> None:
    model = open_vllm(folder, trust_remote_code=True)
    rows = list_rows(2)
    model.generate(rows, replace(SAMPLED, stop=STOPS))
    model.generate(rows, Sampling(max_new_tokens=3))
    drawn, greedy = seen.asked[: len(rows)], seen.asked[len(rows) :]
    assert [asked["seed"] for asked in drawn] == [each.noise % (2**31 - 1) for each in rows]
    assert {asked["seed"] for asked in greedy} == {None}
    assert {(a["temperature"], a["top_p"], a["n"], a["top_k"]) for a in drawn} == {
        (0.8, 0.95, 1, 0)
    }
    assert {tuple(asked["stop"]) for asked in drawn} == {STOPS}, "all of them, however many"
    (loaded,) = seen.loads
    assert loaded["model"] == loaded["tokenizer"] == str(folder)
    assert (loaded["dtype"], loaded["seed"], loaded["max_model_len"]) == ("float32", 0, None)
    assert loaded["generation_config"] == "vllm"
    assert loaded["trust_remote_code"]
    assert loaded["enable_prefix_caching"]
    assert loaded["disable_log_stats"]
    assert seen.variables["VLLM_ENABLE_V1_MULTIPROCESSING"] == "0"
    assert seen.variables["VLLM_NO_USAGE_STATS"] == "1"


def test_seeds_that_mean_none_are_never_sent(folder: Path, seen: Seen) -> None:
    rows = [
        row(PROMPT, k, noise=noise) for k, noise in enumerate([2**64 - 1, 2**31 - 2, 2**31 - 1])
    ]
    open_vllm(folder).generate(rows, SAMPLED)
    assert [asked["seed"] for asked in seen.asked] == [(2**64 - 1) % (2**31 - 1), 2**31 - 2, 0]


def test_rows_stream_out_of_order_and_no_more_than_asked_are_in_work(
    folder: Path, seen: Seen
) -> None:
    model = open_vllm(folder, concurrency=3)
    assert is_streaming(model)
    rows = list_rows(3)
    sent: list[Row | None] = [rows[0], None, *rows[1:7], None, *rows[7:]]
    found = list(model.stream(iter(sent), SAMPLED))
    given = [each for each in found if isinstance(each, Streamed)]
    assert sorted(map(id, (each.row for each in given))) == sorted(map(id, rows))
    assert [each.row for each in given] != rows, "the engine ends rows in an order of its own"
    assert seen.in_work == 3
    alone = {id(each): model.generate([each], SAMPLED)[0] for each in rows}
    assert all(tell(alone[id(each.row)]) == tell(each.completion) for each in given)
    assert all(each.usage.requests == 1 and each.usage.input > 0 for each in given)


@pytest.mark.parametrize(
    ("reason", "by", "finish"),
    [
        ("stop", None, "eos"),
        ("stop", 7, "eos"),
        ("stop", "\n#", "stop"),
        ("length", None, "length"),
    ],
)
def test_the_end_of_a_row_is_what_vllm_says_unless_a_stop_string_cut_it_here(
    reason: str, by: int | str | None, finish: str
) -> None:
    class Engine:
        request = ""

        def add(self, request: str, _ids: Sequence[int], _asking: VllmAsking) -> None:
            self.request = request

        def step(self) -> list[Any]:
            text = SimpleNamespace(token_ids=[3, 4], finish_reason=reason, stop_reason=by)
            cached = SimpleNamespace(outputs=[text], finished=True, num_cached_tokens=2)
            return [SimpleNamespace(request_id=self.request, **vars(cached))]

        def abort(self, _requests: Sequence[str]) -> None:
            raise AssertionError("nothing is in work")

    for own in ("length", "eos", "stop"):
        asking = VllmAsking(8, 0.0, 1.0, (), None, ())
        made = VllmRow(row(PROMPT), (1, 2, 3), asking, lambda _ids, o=own: Completion("x", o, 2))
        stream = VllmStream(iter([made.row]), Engine(), lambda _row, m=made: m, 4, "model 'm'")
        (found,) = stream.run()
        assert found is not None
        assert found.completion.finish == ("stop" if own == "stop" else finish)
        usage = found.usage
        assert (usage.requests, usage.input, usage.cached, usage.output) == (1, 3, 2, 2)


def test_trouble_with_one_row_loses_no_answer_of_the_same_step() -> None:
    class Engine:
        requests: list[str] = []  # noqa: RUF012

        def add(self, request: str, _ids: Sequence[int], _asking: VllmAsking) -> None:
            self.requests.append(request)

        def step(self) -> list[Any]:
            ends = ["stop", "abort", "stop"]
            texts = [
                SimpleNamespace(token_ids=[3], finish_reason=e, stop_reason=None) for e in ends
            ]
            return [
                SimpleNamespace(request_id=name, outputs=[text], finished=True, num_cached_tokens=0)
                for name, text in zip(self.requests, texts, strict=True)
            ]

        def abort(self, _requests: Sequence[str]) -> None:
            raise AssertionError("nothing is in work")

    rows = [row(PROMPT, sample) for sample in range(3)]
    asking = VllmAsking(8, 0.0, 1.0, (), None, ())

    def prepare(asked: Row) -> VllmRow:
        return VllmRow(asked, (1,), asking, lambda _ids: Completion("x", "length", 1))

    stream = VllmStream(iter(rows), Engine(), prepare, 4, "model 'm'").run()
    assert [each.row for each in (next(stream), next(stream)) if each] == [rows[0], rows[2]]
    with pytest.raises(ModelError, match="vLLM ended a row with 'abort'"):
        next(stream)


def test_an_unknown_end_is_an_error(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RecordedVllm(NEWEST, reason="abort").install(monkeypatch, tmp_path)
    with pytest.raises(ModelError, match=r"model 'vllm:.*': vLLM ended a row with 'abort'"):
        open_vllm(folder).generate([row(PROMPT)], Sampling())


def test_an_engine_that_cannot_load_is_told_in_one_sentence(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RecordedVllm(NEWEST, fails="No available memory\nfor the cache blocks").install(
        monkeypatch, tmp_path
    )
    with pytest.raises(ModelError) as caught:
        open_vllm(folder).generate([row(PROMPT)], Sampling())
    told = f"model 'vllm:{folder}': vLLM cannot load it: No available memory for the cache blocks"
    assert str(caught.value) == told


def test_loading_leaves_this_process_as_it_was(
    folder: Path, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_ENABLE_V1_MULTIPROCESSING", "1")
    monkeypatch.setenv("VLLM_LOGGING_LEVEL", "DEBUG")
    monkeypatch.delenv("VLLM_NO_USAGE_STATS", raising=False)
    random.seed(3)
    torch.manual_seed(3)
    before = (random.getstate(), torch.get_rng_state().tolist())
    open_vllm(folder).load()
    assert (random.getstate(), torch.get_rng_state().tolist()) == before
    assert seen.variables["VLLM_ENABLE_V1_MULTIPROCESSING"] == "0"
    assert seen.variables["VLLM_LOGGING_LEVEL"] == "DEBUG", "the user's own word counts"
    assert os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] == "1"
    assert "VLLM_NO_USAGE_STATS" not in os.environ


def test_the_accelerator_is_free_after_closing_and_loaded_again_when_asked(
    folder: Path, seen: Seen
) -> None:
    model = open_vllm(folder)
    model.close()
    assert seen.events == [], "nothing was loaded"
    for _ in range(2):
        model.generate([row(PROMPT)], Sampling(max_new_tokens=2))
        model.close()
    assert seen.events == ["load", "shutdown", "cleanup"] * 2


def test_workers_of_xdist_hand_the_accelerator_on(
    folder: Path, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")
    model = open_vllm(folder)
    model.generate([row(PROMPT)], Sampling(max_new_tokens=2))
    assert seen.events == ["load", "shutdown", "cleanup"]
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "1")
    model.generate([row(PROMPT)], Sampling(max_new_tokens=2))
    assert seen.events == ["load", "shutdown", "cleanup", "load"]


def test_the_key_holds_all_that_moves_an_answer(
    folder: Path, tmp_path: Path, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digest(**options: Any) -> str:
        return open_vllm(folder, **options).identity.digest

    base = digest()
    assert base != open_backend(str(folder)).identity.digest, "other kernels, another model"
    assert digest(concurrency=2, trust_remote_code=True) == base
    others = [digest(dtype="bfloat16"), digest(template="# {language}\n{prompt}")]
    monkeypatch.setenv("VLLM_BATCH_INVARIANT", "1")
    assert digest() == base, "float32 on the processor is exact anyway"
    others.append(digest(dtype="bfloat16"))
    pretend_installed(monkeypatch, tmp_path, "0.99.0+cpu")
    others.append(digest())
    assert len({base, *others}) == 5


def test_facts_say_what_answered_and_what_moves_it(folder: Path, seen: Seen) -> None:
    facts = open_vllm(folder).identity.facts
    assert facts["vllm"] == f"{NEWEST}+cpu"
    assert (facts["dtype"], facts["device"]) == ("float32", "cpu")
    assert "batches" not in facts
    moved = open_vllm(folder, dtype="bfloat16").identity.facts["batches"]
    assert moved == "vLLM's own: greedy text can move with load"


def test_end_tokens_are_those_of_the_loaded_model(folder: Path, tmp_path: Path) -> None:
    own: Any = open_backend(str(folder))
    ends = read_end_tokens("m", own.checkpoint, own.tokenizer, own.options)
    assert ends == own.load().eos
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": [5, 9]}))
    other: Any = open_backend(str(tmp_path))
    ends = read_end_tokens("m", other.checkpoint, other.tokenizer, other.options)
    assert ends == other.load().eos
    assert {5, 9} < set(ends)


def test_what_vllm_would_not_do_as_asked_is_refused(folder: Path, seen: Seen) -> None:
    model = open_vllm(folder)
    variant = row(PROMPT).variant
    assert model.unavailable(variant, Sampling()) == ""
    told = model.unavailable(variant, Sampling(temperature=0.005))
    assert told == "temperature 0.005, which vLLM would raise to 0.01"
    assert "window" in model.unavailable(row(PROMPT * 99).variant, Sampling())
    with pytest.raises(UsageError, match=r"vLLM here takes 'cpu', and device 'cuda:1' is asked"):
        _ = open_vllm(folder, device="cuda:1").identity
