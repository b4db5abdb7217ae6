"""The Hugging Face backend on real checkpoints, small enough to train in a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from support.models_checkpoints import (
    BODY,
    OTHER,
    OTHER_BODY,
    PROMPT,
    REST,
    backend,
    byte_level,
    llama,
    row,
    save,
    save_memorised,
    save_random,
    wrap,
)
from tokenizers import processors

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.thought_tags import decode
from pytest_coderobust.records import Sampling

pytestmark = pytest.mark.usefixtures("one_thread")

TEXTS = [(PROMPT, BODY + REST), (OTHER, OTHER_BODY)]
SAMPLED = Sampling(temperature=0.8, top_p=0.95, max_new_tokens=20)


@pytest.fixture(scope="module", params=["byte-level", "sentence-piece"])
def memorised(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = save_memorised(tmp_path_factory.mktemp("memorised"), request.param, TEXTS)
    return backend(folder)


@pytest.fixture(scope="module")
def random_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random(tmp_path_factory.mktemp("random"))


@pytest.fixture(scope="module")
def random_model(random_folder: Path) -> Any:
    return backend(random_folder)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return backend(save_random(tmp_path_factory.mktemp("narrow"), window=48))


class TestText:
    def test_first_indent_survives(self, memorised: Any) -> None:
        (answer,) = memorised.generate([row(PROMPT)], Sampling())
        assert answer.text == BODY + REST
        assert answer.finish == "eos"
        assert not answer.truncated

    def test_tokenizer_alone_would_lose_the_first_space(
        self, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = save_random(tmp_path_factory.mktemp("sp"), kind="sentence-piece")
        tokenizer = backend(folder).tokenizer
        head, whole = (tokenizer(text)["input_ids"] for text in (PROMPT, PROMPT + BODY))
        assert decode(tokenizer, whole[len(head) :]) == BODY[1:]

    def test_token_limit_is_told(self, memorised: Any) -> None:
        (answer,) = memorised.generate([row(PROMPT)], Sampling(max_new_tokens=5))
        assert answer.truncated
        assert answer.tokens == 5
        assert BODY.startswith(answer.text)

    def test_hostile_prompt_is_answered(self, random_model: Any) -> None:
        rows = [row(text) for text in ("\ud800 \x00 \x1b[31m", "", "\U0001f600é", "</s>")]
        answers = random_model.generate(rows, SAMPLED)
        assert all(answer.tokens for answer in answers)
        assert answers == [random_model.generate([one], SAMPLED)[0] for one in rows]

    def test_a_tokenizer_that_closes_every_text_is_opened(self, tmp_path: Path) -> None:
        closing = byte_level()
        closing.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
        )
        tokenizer = wrap(closing)
        model = backend(save(tmp_path, llama(tokenizer), tokenizer))
        assert model.tokenizer("x")["input_ids"][-1] == tokenizer.eos_token_id
        assert model.encode("x", "python") == model.tokenizer("x")["input_ids"][:-1]
        assert model.encode("", "python") == [tokenizer.bos_token_id]


class TestStopStrings:
    def test_a_stop_string_ends_its_row_only(self, memorised: Any) -> None:
        rows = [row(PROMPT), row(OTHER)]
        for stop, texts in (("\ndef ", (BODY + "\n", OTHER_BODY)), ("\nass", (BODY + REST, "\n"))):
            answers = memorised.generate(rows, Sampling(stop=(stop,)))
            assert tuple(answer.text for answer in answers) == texts
            expected = ["stop" if place == (stop == "\nass") else "eos" for place in range(2)]
            assert [answer.finish for answer in answers] == expected

    def test_the_earliest_of_several_cuts(self, memorised: Any) -> None:
        stops = ("\nprint(", "\nassert ", "never")
        (answer,) = memorised.generate([row(OTHER)], Sampling(stop=stops))
        assert answer.text == "\n"

    def test_no_token_is_generated_after_a_stop(self, memorised: Any) -> None:
        (alone,) = memorised.generate([row(PROMPT)], Sampling(stop=("if",)))
        (whole,) = memorised.generate([row(PROMPT)], Sampling())
        assert alone.text == "    "
        assert alone.tokens < whole.tokens / 2

    def test_a_stop_string_in_the_prompt_stops_nothing(self, memorised: Any) -> None:
        (answer,) = memorised.generate([row(PROMPT)], Sampling(stop=('"""', "twice")))
        assert answer.text == BODY + REST

    def test_a_stop_string_that_spans_many_tokens(self, memorised: Any) -> None:
        stop = "        return 2 * x\n    return"
        (answer,) = memorised.generate([row(PROMPT)], Sampling(stop=(stop,)))
        assert answer.text == "    if x:\n"


PROMPTS = (PROMPT, "x", "def", "a b c d e f g h i j", "\n\n\n", "return 1", "(" * 30)


class TestBatches:
    def test_a_row_that_ends_early_is_not_lengthened(self, memorised: Any) -> None:
        rows = [row(PROMPT), row(OTHER)]
        together = memorised.generate(rows, Sampling())
        assert together == [memorised.generate([one], Sampling())[0] for one in rows]
        assert together[0].tokens > together[1].tokens

    def test_a_row_in_a_batch_equals_the_row_alone(self, random_model: Any) -> None:
        rows = [row(text, noise=place) for place, text in enumerate(PROMPTS)]
        for sampling in (Sampling(max_new_tokens=20), SAMPLED):
            together = random_model.generate(rows, sampling)
            assert together == [random_model.generate([one], sampling)[0] for one in rows]

    def test_a_sample_depends_on_its_noise_alone(self, random_model: Any) -> None:
        rows = [row(PROMPT, sample, noise=1000 + sample) for sample in range(32)]
        torch.manual_seed(1)
        together = random_model.generate(rows, SAMPLED)
        torch.manual_seed(2)
        backwards = random_model.generate(rows[::-1], SAMPLED)
        assert together == backwards[::-1]
        assert len({answer.text for answer in together}) > 16

    def test_the_global_generator_is_not_touched(self, random_model: Any) -> None:
        torch.manual_seed(7)
        before = torch.random.get_rng_state()
        random_model.generate([row(PROMPT)], SAMPLED)
        assert torch.equal(before, torch.random.get_rng_state())

    def test_greedy_follows_the_highest_score(self, random_model: Any) -> None:
        (answer,) = random_model.generate([row("x = ")], Sampling(max_new_tokens=1))
        loaded = random_model.load()
        ids = torch.tensor([loaded.tokenizer("x = ")["input_ids"]])
        best = loaded.model(ids).logits[0, -1].argmax().item()
        assert answer.text == decode(loaded.tokenizer, [best])

    def test_memory_running_out_halves_the_batch(self, random_folder: Path) -> None:
        model = backend(random_folder, batch_size=16)
        rows = [row(PROMPT + "x" * place, noise=place) for place in range(16)]
        expected = model.generate(rows, SAMPLED)
        sizes = starve(model, limit=5)
        assert model.generate(rows, SAMPLED) == expected
        assert sizes[:3] == [16, 8, 4]
        sizes.clear()
        model.generate(rows, SAMPLED)
        assert set(sizes) == {4}, "the size that fits is remembered"

    def test_memory_too_small_for_one_prompt_is_said(self, random_folder: Path) -> None:
        model = backend(random_folder)
        starve(model, limit=0)
        with pytest.raises(ModelError, match="memory does not suffice for a single prompt"):
            model.generate([row(PROMPT)] * 4, SAMPLED)

    def test_another_error_is_no_lack_of_memory(self, random_folder: Path) -> None:
        model = backend(random_folder)
        forward = model.load().model.forward

        def broken(*args: Any, **kwargs: Any) -> Any:
            forward(*args, **kwargs)
            raise RuntimeError("device-side assert")

        model.load().model.forward = broken
        with pytest.raises(ModelError, match="cannot be run: device-side assert"):
            model.generate([row(PROMPT)] * 4, SAMPLED)


@pytest.mark.parametrize("sampling", [Sampling(max_new_tokens=3), SAMPLED])
def test_scores_that_are_no_numbers_are_an_error(random_folder: Path, sampling: Sampling) -> None:
    model = backend(random_folder)
    with torch.no_grad():
        model.load().model.lm_head.weight[3] = torch.nan
    with pytest.raises(ModelError, match=r"its scores in torch\.float32 are NaN"):
        model.generate([row(PROMPT)], sampling)


def starve(model: Any, limit: int) -> list[int]:
    """Makes a forward pass of more than `limit` rows run out of memory; lists the sizes tried."""
    network = model.load().model
    forward = network.forward
    sizes: list[int] = []

    def limited(input_ids: torch.Tensor, **options: Any) -> Any:
        if not sizes or sizes[-1] != len(input_ids):
            sizes.append(len(input_ids))
        if len(input_ids) > limit:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return forward(input_ids=input_ids, **options)

    network.forward = limited
    return sizes


class TestWindow:
    def test_a_prompt_that_nearly_fills_the_window_ends_there(self, narrow: Any) -> None:
        long, short = row("(" * 40), row("x")
        sampling = Sampling(max_new_tokens=30)
        answers = narrow.generate([long, short], sampling)
        assert answers == [narrow.generate([one], sampling)[0] for one in (long, short)]
        assert answers[0].tokens < 30
        assert answers[0].truncated
        assert answers[1].tokens == 30

    def test_prompts_of_like_length_share_a_batch_in_a_narrow_window(self, tmp_path: Path) -> None:
        model = backend(save_random(tmp_path, window=128))
        rows = [row("x" * (20 + place), noise=place) for place in range(8)]
        sizes = starve(model, limit=100)
        answers = model.generate(rows, Sampling(temperature=1.0, max_new_tokens=512))
        assert sizes[0] == 8
        assert sizes == sorted(sizes, reverse=True), "one batch, which rows leave"
        assert max(answer.tokens for answer in answers) <= 64

    def test_a_prompt_beyond_the_window_is_unavailable(self, narrow: Any) -> None:
        fits, beyond = row("(" * 40).variant, row("(" * 48).variant
        assert narrow.unavailable(fits, SAMPLED) == ""
        assert narrow.unavailable(beyond, SAMPLED) == "prompt of 48 tokens, window of 48"
        with pytest.raises(ModelError, match="does not fit into its window of 48"):
            narrow.generate([row("(" * 60)], SAMPLED)

    def test_a_short_prompt_needs_no_tokenizer(self, random_folder: Path) -> None:
        model = backend(random_folder)
        assert model.unavailable(row(PROMPT).variant, SAMPLED) == ""
        assert "tokenizer" not in vars(model)
