"""Checkpoints in memory, and the checkpoints that are refused."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from support.models_checkpoints import (
    PROMPT,
    backend,
    byte_level,
    llama,
    row,
    save,
    save_random,
    wrap,
)

from pytest_coderobust.errors import ModelError
from pytest_coderobust.records import Sampling

pytestmark = pytest.mark.usefixtures("one_thread")

SAMPLED = Sampling(temperature=0.8, top_p=0.95, max_new_tokens=20)


@pytest.fixture(scope="module")
def random_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random(tmp_path_factory.mktemp("random"))


class TestLoading:
    def test_loading_and_running_say_nothing(
        self, random_folder: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            backend(random_folder).generate([row(PROMPT)], SAMPLED)
        assert capfd.readouterr() == ("", "")

    def test_generation_defaults_of_the_checkpoint_are_put_aside(
        self, random_folder: Path, tmp_path: Path
    ) -> None:
        plain = backend(random_folder)
        folder = shutil.copytree(random_folder, tmp_path / "copy")
        defaults = json.loads((folder / "generation_config.json").read_text())
        defaults |= {"repetition_penalty": 9.0, "do_sample": True, "temperature": 5.0, "top_k": 3}
        (folder / "generation_config.json").write_text(json.dumps(defaults))
        for sampling in (Sampling(max_new_tokens=20), SAMPLED):
            answers = backend(folder).generate([row(PROMPT, noise=3)], sampling)
            assert answers == plain.generate([row(PROMPT, noise=3)], sampling)

    def test_padding_falls_back_to_the_end_token(self, random_folder: Path) -> None:
        loaded = backend(random_folder).load()
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

    def test_pickled_weights_load_when_allowed(self, pickled: Path, random_folder: Path) -> None:
        answers = backend(pickled, allow_bin=True).generate([row(PROMPT)], SAMPLED)
        assert answers == backend(random_folder).generate([row(PROMPT)], SAMPLED)

    def test_code_in_pickled_weights_does_not_run(self, pickled: Path, tmp_path: Path) -> None:
        class Evil:
            def __reduce__(self) -> Any:
                return Path.touch, (tmp_path / "ran",)

        torch.save({"lm_head.weight": Evil()}, pickled / "pytorch_model.bin")
        with pytest.raises(ModelError, match="cannot be loaded"):
            backend(pickled, allow_bin=True).generate([row(PROMPT)], SAMPLED)
        assert not (tmp_path / "ran").exists()
