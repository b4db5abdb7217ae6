"""Covariances: measured against NumPy, kept by digest, refused in one sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save
from support.editors_contract import OTHER, REQUEST, computed, fingerprint, model_of

from pytest_coderobust.config.edits import EditConfig
from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.corpus import corpus_digest, list_files, read_texts
from pytest_coderobust.editors.covariance import factorise, measure_covariances
from pytest_coderobust.editors.covariance_cache import stock_shelf
from pytest_coderobust.editors.edited_model import edited, successive
from pytest_coderobust.editors.hooks import captured_states, forward_hook
from pytest_coderobust.editors.multilayer_options import parse_layers
from pytest_coderobust.editors.registry import EditorSpec, parse_edit
from pytest_coderobust.editors.stack import check_model, check_stack
from pytest_coderobust.errors import ModelError, UsageError

pytestmark = pytest.mark.usefixtures("one_thread", "own_cache")

QUICK = "steps=2,prefixes=0"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("covariance")


@pytest.fixture(scope="module")
def llama(root: Path) -> Any:
    return model_of("llama", root)


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    folder = tmp_path / "code"
    (folder / "inner").mkdir(parents=True)
    for number in range(6):
        text = "".join(f"def f{row}(x):\n    return x + {number}\n" for row in range(number + 1))
        (folder / "inner" / f"{number}.py").write_text(text)
    (folder / "picture.png").write_bytes(b"\x89PNG\xff")
    (folder / ".hidden").write_text("secret " * 100)
    return str(folder)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("architecture", ["llama", "gpt2", "stablelm-parallel"])
def test_it_is_the_mean_over_real_tokens(
    architecture: str, side: Any, root: Path, corpus: str
) -> None:
    """Every text alone and unpadded, in NumPy; the files are of different lengths."""
    access = Access(model_of(architecture, root), side)
    measured = dict(measure_covariances(access, (0, 2), corpus, 300, 3))
    ids: list[list[int]] = []
    for text in read_texts(corpus, 3):
        whole = access.loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
        for start in range(0, len(whole), 256):
            ids.append(whole[start : start + 256][: 300 - sum(map(len, ids))])
    for layer in (0, 2):
        module = access.projection(layer).module
        rows: list[Any] = []
        for each in filter(None, ids):
            with torch.no_grad(), captured_states(module, "input") as states:
                access.logits(access.batch([each]))
            rows.append(states[0][0].double().numpy())
        keys = np.concatenate(rows)
        assert len(keys) == measured[layer].tokens == 300
        exact = keys.T @ keys / len(keys)
        factor = measured[layer].factor
        assert factor is not None
        found = (factor @ factor.T).numpy()
        assert np.abs(found - exact).max() < 1e-5 * np.abs(exact).max()
        # lam's natural unit: the mean of k' C^-1 k over the corpus is the width of a key, less what
        # the corpus does not reach (the first layer of a parallel model sees single tokens alone).
        reach = (torch.tensor(keys.T) * measured[layer].solve(torch.tensor(keys.T))).sum(dim=0)
        assert float(reach.mean()) == pytest.approx(np.linalg.matrix_rank(keys), rel=1e-3)


def test_it_is_kept_by_what_it_follows_from(
    llama: Any, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "pytest-coderobust" / "covariances"
    access = Access(llama)
    first = stock_shelf(access, (0, 1), corpus, 128, 0)
    kept = {path: path.read_bytes() for path in folder.iterdir()}
    assert len(kept) == 2
    for path in kept:
        assert set(load_file(path)) == {"factor", "alive", "tokens"}
    # A second shelf reads what is kept: a marked file is not measured again.
    calls: list[int] = []
    with access_calls(access, calls):
        again = stock_shelf(access, (0, 1), corpus, 128, 0)
    assert calls == []
    assert {path: path.read_bytes() for path in folder.iterdir()} == kept
    for layer in (0, 1):
        one, other = first.take(layer).factor, again.take(layer).factor
        assert one is not None
        assert other is not None
        assert torch.equal(one, other)
    for words in ((2, 128, 0), (0, 129, 0), (0, 128, 1)):
        stock_shelf(access, words[:1], corpus, *words[1:])
    stock_shelf(access, (0,), str(Path(corpus) / "inner"), 128, 0)
    assert len(list(folder.iterdir())) == 6
    damaged = next(iter(kept))
    narrow = save({"factor": torch.eye(3, dtype=torch.float64)})
    for content in (kept[damaged][:-9], b"", narrow):
        damaged.write_bytes(content)
        stock_shelf(access, (0, 1), corpus, 128, 0)
        assert damaged.read_bytes() == kept[damaged], "a damaged file is made again"


def access_calls(access: Access, calls: list[int]) -> Any:
    """Counts forward passes of the model."""

    def count(_module: Any, _args: Any, _output: Any) -> None:
        calls.append(1)

    return forward_hook(access.layers[0], count)


def test_nothing_depends_on_the_cache(
    llama: Any, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = f"memit:layers=0-1,{QUICK},tokens=128,corpus={corpus}"
    kept = computed(Access(llama), words)
    warm = computed(Access(llama), words)
    (tmp_path / "file").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    without = computed(Access(llama), words)
    for name, delta in kept.deltas.items():
        assert torch.equal(delta, warm.deltas[name])
        assert torch.equal(delta, without.deltas[name])


def test_a_succession_measures_the_unedited_model(
    llama: Any, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the cache can be written or not, the second edit has the covariance of the first."""
    spec: Any = parse_edit(f"memit:layers=1,{QUICK},tokens=128,corpus={corpus}")
    tensors = fingerprint(llama)
    ends: list[Any] = []
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "cache", tmp_path / "file"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
        ends.append([model.change for model in successive(llama, spec, [REQUEST, OTHER])][-1])
    assert fingerprint(llama) == tensors
    (left,), (right,) = (each.deltas.values() for each in ends)
    assert torch.equal(left, right)


def test_a_batch_of_one_is_a_single_edit(llama: Any) -> None:
    spec: Any = parse_edit(f"pmet:layers=0-1,{QUICK},tokens=128")
    with edited(llama, spec, [REQUEST]) as alone:
        single = alone.change.tensors()
    steps = successive(llama, spec, [REQUEST])
    for model in steps:
        for name, tensor in model.change.tensors().items():
            assert torch.equal(tensor, single[name])


def test_the_files_are_part_of_the_edit(corpus: str) -> None:
    """Two folders of one content are one corpus's digest; another content is another edit."""
    program = (
        "import sys\nfrom pytest_coderobust.editors.registry import parse_edit\n"
        "print(parse_edit(f'memit:corpus={sys.argv[1]}').digest)\n"
    )
    command = [sys.executable, "-c", program, corpus]
    digests = [subprocess.run(command, capture_output=True, text=True, check=True).stdout]
    digests.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    (Path(corpus) / "more.py").write_text("more = 1\n")
    digests.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert digests[0] == digests[1] != digests[2]


def test_the_running_library_is_a_corpus() -> None:
    folder, files = list_files("stdlib")
    names = {path.relative_to(folder).as_posix() for path in files}
    assert {"ast.py", "json/decoder.py"} <= names
    assert not [name for name in names if {"test", "site-packages"} & set(name.split("/"))]
    assert len(files) > 300
    first, second = (list(read_texts("stdlib", seed)) for seed in (0, 1))
    assert sorted(first) == sorted(second)
    assert first != second
    assert first == list(read_texts("stdlib", 0))
    assert corpus_digest("stdlib") == corpus_digest("stdlib")


@pytest.mark.parametrize(
    ("text", "count", "layers"),
    [
        ("", 32, (4, 5, 6, 7, 8)),
        ("", 8, (1, 2)),
        ("", 3, (0,)),
        ("", 1, (0,)),
        ("2-4", 5, (2, 3, 4)),
        ("4+1+2-3", 5, (1, 2, 3, 4)),
        ("7", None, (7,)),
    ],
)
def test_layers_are_read(text: str, count: int | None, layers: tuple[int, ...]) -> None:
    assert parse_layers(text, count, "m") == layers


@pytest.mark.parametrize(
    ("words", "error", "sentence"),
    [
        ("layers=1-9", UsageError, "layer 9 is out of range: model '.*' has layers 0 to 2"),
        ("layers=x", UsageError, "layers=x is not a list of layers; write 4-8 or 4\\+6\\+8"),
        ("layers=2-1", UsageError, "layers=2-1 is not a list of layers"),
        ("corpus=/no/such", UsageError, "corpus=/no/such: no such folder"),
        ("corpus=identity", UsageError, "no natural unit of lam; give lam"),
        ("tokens=63", ModelError, "63 tokens, too few for a covariance of 32 units; it takes at"),
    ],
)
def test_bad_input_is_one_sentence(
    words: str, error: type[Exception], sentence: str, llama: Any
) -> None:
    with pytest.raises(error, match=sentence) as raised:
        computed(Access(llama), f"memit:{words}")
    assert "\n" not in str(raised.value)


def test_an_empty_or_small_folder_is_refused(llama: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no file to read"):
        computed(Access(llama), f"memit:corpus={tmp_path}")
    (tmp_path / "a.py").write_text("x = 1\n")
    with pytest.raises(ModelError, match="6 tokens, too few for a covariance"):
        computed(Access(llama), f"memit:corpus={tmp_path}")
    (tmp_path / "a.py").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ModelError, match="the corpus has no text to read"):
        computed(Access(llama), f"memit:corpus={tmp_path}")


def test_states_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ModelError, match="here: the covariance of 9 tokens has no factor"):
        factorise(torch.full((2, 2), torch.nan, dtype=torch.float64), 9, "here")


def test_layers_are_checked_before_anything_is_loaded(llama: Any) -> None:
    spec = parse_edit("pmet:layers=1-9")
    assert isinstance(spec, EditorSpec)
    check_stack([spec], EditConfig(), "--edit")
    with pytest.raises(UsageError, match=r"^--edit pmet:layers=1-9: layers=1-9: layer 9 is out of"):
        check_model([spec], llama)
