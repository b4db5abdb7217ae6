"""The Hugging Face backend on real checkpoints, small enough to train in a test."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from models_checkpoints import (
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
from pytest_coderobust.models.stopping import decode
from pytest_coderobust.records import Sampling

TEXTS = [(PROMPT, BODY + REST), (OTHER, OTHER_BODY)]
SAMPLED = Sampling(temperature=0.8, top_p=0.95, max_new_tokens=20)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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


class TestLoading:
    def test_loading_and_running_say_nothing(
        self, random_folder: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            backend(random_folder).generate([row(PROMPT)], SAMPLED)
        assert capfd.readouterr() == ("", "")

    def test_generation_defaults_of_the_checkpoint_are_put_aside(
        self, random_folder: Path, random_model: Any, tmp_path: Path
    ) -> None:
        folder = shutil.copytree(random_folder, tmp_path / "copy")
        defaults = json.loads((folder / "generation_config.json").read_text())
        defaults |= {"repetition_penalty": 9.0, "do_sample": True, "temperature": 5.0, "top_k": 3}
        (folder / "generation_config.json").write_text(json.dumps(defaults))
        for sampling in (Sampling(max_new_tokens=20), SAMPLED):
            answers = backend(folder).generate([row(PROMPT, noise=3)], sampling)
            assert answers == random_model.generate([row(PROMPT, noise=3)], sampling)

    def test_padding_falls_back_to_the_end_token(self, random_model: Any) -> None:
        loaded = random_model.load()
        assert loaded.tokenizer.pad_token_id is None
        assert loaded.pad == loaded.tokenizer.eos_token_id

    def test_a_tokenizer_without_an_end_token_works(self, tmp_path: Path) -> None:
        tokenizer = wrap(byte_level(), eos_token=None, bos_token=None)
        model = backend(save(tmp_path, llama(tokenizer), tokenizer))
        rows = [row("x"), row(PROMPT)]
        answers = model.generate(rows, SAMPLED)
        assert answers == [model.generate([one], SAMPLED)[0] for one in rows]

    def test_a_checkpoint_that_lacks_tensors_is_refused(
        self, random_folder: Path, tmp_path: Path
    ) -> None:
        from safetensors.torch import load_file, save_file

        folder = shutil.copytree(random_folder, tmp_path / "copy")
        tensors = load_file(folder / "model.safetensors")
        del tensors["model.layers.1.mlp.up_proj.weight"]
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        message = "lacks 1 tensors of its model, the first is model.layers.1.mlp.up_proj.weight"
        with pytest.raises(ModelError, match=message):
            backend(folder).generate([row(PROMPT)], SAMPLED)

    def test_a_broken_file_names_the_model(self, random_folder: Path, tmp_path: Path) -> None:
        folder = shutil.copytree(random_folder, tmp_path / "copy")
        (folder / "model.safetensors").write_bytes(b"nonsense")
        with pytest.raises(ModelError, match=r"copy.* cannot be loaded: "):
            backend(folder, dtype="float32").generate([row(PROMPT)], SAMPLED)

    def test_threads_are_few_and_given_back(self, random_folder: Path) -> None:
        model = backend(random_folder)
        forward = model.load().model.forward
        seen: list[int] = []

        def counting(*args: Any, **options: Any) -> Any:
            seen.append(torch.get_num_threads())
            return forward(*args, **options)

        model.load().model.forward = counting
        torch.set_num_threads(2)
        try:
            model.generate([row(PROMPT)], Sampling(max_new_tokens=2))
            assert torch.get_num_threads() == 2
        finally:
            torch.set_num_threads(1)
        assert set(seen) == {1}

    def test_a_closed_model_loads_again(self, random_folder: Path) -> None:
        model = backend(random_folder)
        before = model.generate([row(PROMPT)], SAMPLED)
        model.close()
        assert model.generate([row(PROMPT)], SAMPLED) == before

    def test_an_absent_device_is_said(self, random_folder: Path) -> None:
        if torch.cuda.is_available():
            pytest.skip("this machine has the device")
        with pytest.raises(ModelError, match=r"device 'cuda:3' cannot be used: .*'cpu' always"):
            backend(random_folder, device="cuda:3").identity  # noqa: B018


class TestBin:
    @pytest.fixture
    def pickled(self, random_folder: Path, tmp_path: Path) -> Path:
        from safetensors.torch import load_file

        folder = shutil.copytree(random_folder, tmp_path / "bin")
        tensors = load_file(folder / "model.safetensors")
        (folder / "model.safetensors").unlink()
        torch.save(tensors, folder / "pytorch_model.bin")
        return folder

    def test_pickled_weights_are_refused_with_the_way_to_load_them(self, pickled: Path) -> None:
        with pytest.raises(ModelError, match=r"no safetensors.*--coderobust-allow-bin loads"):
            backend(pickled).identity  # noqa: B018

    def test_pickled_weights_load_when_allowed(self, pickled: Path, random_model: Any) -> None:
        answers = backend(pickled, allow_bin=True).generate([row(PROMPT)], SAMPLED)
        assert answers == random_model.generate([row(PROMPT)], SAMPLED)

    def test_code_in_pickled_weights_does_not_run(self, pickled: Path, tmp_path: Path) -> None:
        class Evil:
            def __reduce__(self) -> Any:
                return Path.touch, (tmp_path / "ran",)

        torch.save({"lm_head.weight": Evil()}, pickled / "pytorch_model.bin")
        with pytest.raises(ModelError, match="cannot be loaded"):
            backend(pickled, allow_bin=True).generate([row(PROMPT)], SAMPLED)
        assert not (tmp_path / "ran").exists()


class TestChat:
    TEMPLATE = (
        "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}[/]{% endfor %}"
        "{% if add_generation_prompt %}[assistant]{% endif %}"
    )

    @pytest.fixture
    def chatty(self, tmp_path: Path) -> Path:
        tokenizer = wrap(byte_level())
        tokenizer.chat_template = self.TEMPLATE
        return save(tmp_path / "chat", llama(tokenizer), tokenizer)

    def shown(self, model: Any, prompt: str, language: str = "python") -> str:
        """What the network is given for a prompt."""
        network = model.load().model
        forward = network.forward
        seen: list[list[int]] = []

        def looking(input_ids: torch.Tensor, **options: Any) -> Any:
            seen.append(input_ids[0].tolist())
            return forward(input_ids=input_ids, **options)

        network.forward = looking
        model.generate([row(prompt, language=language)], Sampling(max_new_tokens=1))
        return decode(model.tokenizer, seen[0])

    def test_a_template_in_the_tokenizer_decides_nothing(self, chatty: Path) -> None:
        assert self.shown(backend(chatty), PROMPT) == PROMPT

    def test_chat_when_asked_for(self, chatty: Path) -> None:
        shown = self.shown(backend(chatty, chat=True), PROMPT)
        assert shown.startswith("[user]Complete the following python function.")
        assert f"```python\n{PROMPT}\n```[/][assistant]" in shown

    def test_a_template_of_ones_own_keeps_braces(self, chatty: Path) -> None:
        model = backend(chatty, template="# {language}\n{prompt}# end")
        assert self.shown(model, "x = {prompt} {0}\n", "java") == "# java\nx = {prompt} {0}\n# end"

    def test_chat_without_a_chat_template_is_an_error(self, random_folder: Path) -> None:
        with pytest.raises(ModelError, match="its tokenizer has no chat template"):
            backend(random_folder, chat=True).generate([row(PROMPT)], SAMPLED)
