"""Names: what they mean, what is said of the others, and that nothing heavy loads for it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.packages import install

import pytest_coderobust
from pytest_coderobust.errors import ModelError, UnknownName, UsageError
from pytest_coderobust.models.hf import HFBackend
from pytest_coderobust.models.names import find_spec
from pytest_coderobust.models.options import ModelOptions, ModelSpec, apply_options
from pytest_coderobust.models.oracle import Oracle
from pytest_coderobust.models.registry import (
    BACKENDS,
    BUILTIN,
    check_model_name,
    has_weights,
    open_backend,
)
from pytest_coderobust.models.replay import Replay
from pytest_coderobust.models.scripted import Scripted

PAPERS = {
    "codellama-7b": "codellama/CodeLlama-7b-hf",
    "qwen2.5-coder-7b": "Qwen/Qwen2.5-Coder-7B",
    "codeqwen1.5-7b": "Qwen/CodeQwen1.5-7B",
    "stable-code-3b": "stabilityai/stable-code-3b",
    "deepseek-coder-1.3b": "deepseek-ai/deepseek-coder-1.3b-base",
    "deepseek-coder-6.7b": "deepseek-ai/deepseek-coder-6.7b-base",
    "codegen-2b-multi": "Salesforce/codegen-2B-multi",
    "starcoder-1b": "bigcode/starcoderbase-1b",
    "starcoder-3b": "bigcode/starcoderbase-3b",
}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return folder


@pytest.mark.parametrize(("name", "hub"), PAPERS.items())
def test_the_papers_models_have_short_names(name: str, hub: str) -> None:
    spec = find_spec(name)
    assert spec.id == hub
    assert not spec.chat, "each of them is a base model"


def test_every_short_name_is_known() -> None:
    assert set(BUILTIN) == set(PAPERS)


def test_a_hub_id_and_a_folder_are_names(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_spec("Some-Org/Some_Model.7B").id == "Some-Org/Some_Model.7B"
    assert find_spec(str(checkpoint)).id == str(checkpoint)
    monkeypatch.chdir(checkpoint.parent)
    for spelling in ("mine", "./mine", "../" + checkpoint.parent.name + "/mine"):
        assert find_spec(spelling).id == str(Path(spelling))


def test_ones_own_name_wins() -> None:
    own = {name: ModelSpec("me/large", chat=True) for name in ("tiny", "oracle", "starcoder-1b")}
    for name, spec in own.items():
        assert open_backend(name, known=own).spec == spec


def test_forms_open_their_backend(tmp_path: Path, checkpoint: Path) -> None:
    recording = tmp_path / "answers.jsonl"
    recording.write_text('{"task_id": "T", "completion": ""}\n')
    forms = {
        "oracle": Oracle,
        f"replay:{recording}": Replay,
        "scripted:canonical@0.7": Scripted,
        "starcoder-1b": HFBackend,
        str(checkpoint): HFBackend,
    }
    for name, kind in forms.items():
        model = open_backend(name, options=ModelOptions(batch_size=7))
        assert isinstance(model, kind)
        assert model.batch_size == 7


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("qwen2.5-coder-7", "unknown model 'qwen2.5-coder-7'; did you mean 'qwen2.5-coder-7b'?"),
        ("orcale", "unknown model 'orcale'; did you mean 'oracle'?"),
        ("", "unknown model ''"),
        ("a/b/c", "unknown model 'a/b/c'"),
        ("mine-7b", "did you mean 'mine-7'?"),
    ],
)
def test_an_unknown_name_is_offered_the_nearest(name: str, message: str) -> None:
    with pytest.raises(UnknownName) as caught:
        check_model_name(name, {"mine-7": ModelSpec("me/mine")})
    assert message in str(caught.value)
    assert "replay:FILE" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("./nowhere", "model './nowhere': there is no such folder"),
        ("/nowhere/at/all", "there is no such folder"),
        ("replay:nowhere.jsonl", "no file 'nowhere.jsonl' to replay"),
        ("replay:", "to replay"),
        ("scripted:canonical@2", "the only script is"),
        ("scripted:", "the only script is"),
    ],
)
def test_a_name_that_points_nowhere_is_refused(name: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_model_name(name)
    assert message in str(caught.value)


def test_an_id_of_ones_own_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(
        UsageError, match=r"model 'mine': its id '\./gone' is neither a folder nor a hub id"
    ):
        check_model_name("mine", {"mine": ModelSpec("./gone")})


def test_the_bundled_model_may_be_absent(monkeypatch: pytest.MonkeyPatch, checkpoint: Path) -> None:
    monkeypatch.setattr("pytest_coderobust.tiny.checkpoint_path", lambda: checkpoint)
    assert open_backend("tiny").spec.id == str(checkpoint)
    monkeypatch.setattr("pytest_coderobust.tiny.checkpoint_path", lambda: checkpoint / "gone")
    with pytest.raises(UsageError, match="model 'tiny': this installation lacks its weights"):
        check_model_name("tiny")


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_pointer_of_git_lfs_is_told_from_weights(checkpoint: Path, name: str) -> None:
    (checkpoint / "model.safetensors").touch()
    (checkpoint / "pytorch_model.bin").write_text("version https://git-lfs")  # which nobody reads
    (checkpoint / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(ModelError) as caught:
        open_backend(str(checkpoint)).identity  # noqa: B018
    assert str(caught.value) == (
        f"model {str(checkpoint)!r}: {checkpoint / name}: the file is a Git LFS pointer and not the "
        "model's own; `git lfs pull` in its repository gets it"
    )


def test_a_folder_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no config\.json, so it is not a checkpoint"):
        check_model_name(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("oracle", False),
        ("replay:answers.jsonl", False),
        ("scripted:canonical@0.5", False),
        ("tiny", True),
        ("starcoder-1b", True),
        ("./folder", True),
        ("oracle/of-delphi", True),
        ("paper", True),
    ],
)
def test_which_names_have_weights(name: str, *, weights: bool) -> None:
    assert has_weights(name) is weights


def test_ones_own_name_has_weights() -> None:
    assert has_weights("oracle", {"oracle": ModelSpec("me/mine")})


def test_a_backend_of_ours_is_one_file_and_a_row() -> None:
    sources = Path(pytest_coderobust.__file__).parent
    texts = {path: path.read_text("utf-8") for path in sources.rglob("*.py")}
    for row in BACKENDS.values():
        module, _, name = row.open.partition(":")
        naming = {path for path, text in texts.items() if re.search(rf"\b{name}\b", text)}
        own = sources.parent / (module.replace(".", "/") + ".py")
        assert naming == {own, sources / "models" / "registry.py"}


PARROT = """
from pytest_coderobust.models.registry import BackendEntry
from pytest_coderobust.models.scripted import Scripted
from support.packages import install


def open_parrot(name, options):
    words = name.partition(":")[2]
    return Scripted(lambda row: words, name=name, batch_size=options.batch_size or 5)


ROW = BackendEntry("parrots:open_parrot", argument="WORDS")
"""


@pytest.fixture
def parrots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    install(tmp_path / "site", "parrots", PARROT, "[coderobust.backends]\nparrot = parrots:ROW\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    yield
    sys.modules.pop("parrots", None)


@pytest.mark.usefixtures("parrots")
def test_an_installed_package_brings_a_backend() -> None:
    check_model_name("parrot:hello")
    model = open_backend("parrot:hello", options=ModelOptions(batch_size=7))
    assert (model.identity.name, model.batch_size) == ("parrot:hello", 7)
    assert not has_weights("parrot:hello")


@pytest.mark.usefixtures("parrots")
def test_a_backend_of_a_package_is_offered_as_the_nearest() -> None:
    with pytest.raises(UnknownName, match="unknown model 'parot'; did you mean 'parrot'"):
        check_model_name("parot")
    assert "parrots" not in sys.modules, "a name is offered without an import"
    with pytest.raises(UnknownName, match="unknown model 'parrot'; did you mean 'parrot:WORDS'"):
        check_model_name("parrot")


def test_options_win_over_the_spec() -> None:
    spec = ModelSpec("me/mine", chat=True, dtype="float16", template="a{prompt}", revision="main")
    assert apply_options(spec, ModelOptions()) == spec
    options = ModelOptions(chat=False, dtype="float32", template="b{prompt}", revision="dev")
    assert apply_options(spec, options) == ModelSpec(
        "me/mine", chat=False, dtype="float32", template="b{prompt}", revision="dev"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (ModelOptions(batch_size=0), "batch size 0 must be at least 1"),
        (ModelOptions(threads=0), "threads 0 must be at least 1"),
        (ModelOptions(dtype="int4"), "dtype 'int4' is none of auto, float32, float16, bfloat16"),
        (ModelOptions(template="no place"), r"template 'no place' has no \{prompt\} in it"),
    ],
)
def test_an_impossible_option_is_refused(options: ModelOptions, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_backend("starcoder-1b", options=options)


def test_opening_a_model_imports_nothing_heavy() -> None:
    program = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "from pytest_coderobust.models.registry import check_model_name, open_backend\n"
        "check_model_name('starcoder-1b'); open_backend('starcoder-1b'); open_backend('oracle')\n"
        "heavy = {'torch', 'transformers', 'tokenizers', 'huggingface_hub', 'hypothesis'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout == "[]\n"
