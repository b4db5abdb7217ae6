"""GGUF files as models: their header, their identity, and the model in process."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.models_checkpoints import row

from pytest_coderobust.config.settings import read_settings
from pytest_coderobust.errors import CodeRobustError, ModelError, UsageError
from pytest_coderobust.models.checkpoint import Checkpoint
from pytest_coderobust.models.gguf import GgufHeader, check_gguf, read_header
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.packing import kernel_versions, packing_facts
from pytest_coderobust.models.registry import check_model_name, open_backend
from pytest_coderobust.models.served.gguf_claims import list_contradictions
from pytest_coderobust.models.served.handshake_claims import ListedModel
from pytest_coderobust.records import Sampling
from pytest_coderobust.tiny import checkpoint_path

pytestmark = pytest.mark.usefixtures("one_thread")

PARAMETERS = 1714304
PROMPTS = [
    'def add(values):\n    """Return the sum of the 12 values."""\n',
    "x = 2048 if <|end|> else '<|endoftext|>'\n",
    "\t naïve  3.14159\r\n    # 1,000",
]


def open_file(file: Path, **options: Any) -> Any:
    return open_backend(str(file), options=ModelOptions(threads=1, **options))


def test_header_says_what_is_in_the_file(tiny_gguf: Path, packed_gguf: Path) -> None:
    header = read_header("m", tiny_gguf)
    assert header == GgufHeader(
        "llama", "F32", PARAMETERS, 1024, 4 * PARAMETERS, 512, 8, False, "starcoder"
    )
    packed = read_header("m", packed_gguf)
    assert (packed.quantisation, packed.parameters) == ("Q8_0", PARAMETERS)
    # A block of 32 numbers has 34 bytes; the down projections, 344 wide, and the norms stay F32.
    whole = 8 * 344 * 128 + 17 * 128
    assert packed.size == 4 * whole + (PARAMETERS - whole) // 32 * 34


@pytest.mark.parametrize("file_type", ["F32", "F16", "BF16", "Q4_K_M", ""])
def test_only_whole_tensors_keep_their_dtype(file_type: str) -> None:
    header = GgufHeader("llama", file_type, 1, 1, 1, None, None, False)
    assert header.dtype == {"F16": "float16", "BF16": "bfloat16"}.get(file_type, "float32")


@pytest.mark.parametrize(
    ("make", "seen"),
    [
        (lambda _: None, "there is no such file"),
        (lambda file: file.mkdir(), "no config.json"),
        (lambda file: file.write_bytes(b"PK\3\4" + bytes(40)), r"no GGUF, it begins with b'PK"),
        (lambda file: file.write_bytes(b"GGUF"), "no GGUF"),
        (lambda file: file.write_bytes(b"GGUF" + struct.pack("<I", 9)), "version 9 is not read"),
        (lambda file: file.write_bytes(b"GGUF" + struct.pack(">I", 3)), "version 50331648"),
        (
            lambda file: file.write_text(
                "version https://git-lfs.github.com/spec/v1\noid sha256:0"
            ),
            "Git LFS",
        ),
    ],
)
def test_what_is_no_gguf_is_refused(tmp_path: Path, make: Callable[[Path], Any], seen: str) -> None:
    file = tmp_path / "m.gguf"
    make(file)
    with pytest.raises(UsageError, match=seen) as refusal:
        check_model_name(str(file))
    assert str(refusal.value).startswith(f"model '{file}': ")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1), damage=st.binary(min_size=1, max_size=16))
def test_a_damaged_file_is_refused_in_one_sentence(
    tiny_gguf: Path, tmp_path: Path, share: float, damage: bytes
) -> None:
    """Cuts the head of a file, whose tensors are gone then, and overwrites a place in it."""
    data = tiny_gguf.read_bytes()[:40_000]
    at = 8 + int(share * (len(data) - 8))
    for broken in (data[:at], data[:at] + damage + data[at + len(damage) :]):
        file = tmp_path / "broken.gguf"
        file.write_bytes(broken)
        with pytest.raises(CodeRobustError) as refusal:
            read_header("m", file)
        assert "\n" not in str(refusal.value)


def test_one_of_several_parts_is_refused(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(tmp_path / "m-00001-of-00003.gguf", "llama")
    writer.add_uint16("split.count", 3)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    with pytest.raises(ModelError, match=r"one of 3 parts; llama.cpp's `gguf-split --merge`"):
        read_header("m", tmp_path / "m-00001-of-00003.gguf")


def test_the_same_tokens_and_texts_as_the_folders(tiny_gguf: Path) -> None:
    unpacked, plain = open_file(tiny_gguf), open_backend("tiny", options=ModelOptions(threads=1))
    for prompt in PROMPTS:
        assert unpacked.encode(prompt, "python") == plain.encode(prompt, "python")  # type: ignore[attr-defined]
    rows = [row(prompt) for prompt in PROMPTS]
    asked = Sampling(max_new_tokens=24)
    assert unpacked.generate(rows, asked) == plain.generate(rows, asked)
    assert (unpacked.depth, unpacked.dtype, unpacked.load().window) == (8, "float32", 512)


def test_a_splitter_that_is_not_known_is_refused(tmp_path: Path, tiny_gguf: Path) -> None:
    from support.tiny_gguf import write_gguf

    for splitter, fits in (("gpt-2", True), ("poro-chat", False), ("llama-bpe", True)):
        file = write_gguf(checkpoint_path(), tmp_path / f"{splitter}.gguf", splitter=splitter)
        backend = open_file(file)
        if fits:
            assert backend.encode("x", "python") == [89]
            continue
        with pytest.raises(ModelError, match=f"splits text as '{splitter}'.*llama.cpp's server"):
            backend.encode("x", "python")


def test_identity_is_the_file_and_another_engine(
    tiny_gguf: Path, packed_gguf: Path, tmp_path: Path
) -> None:
    copied = Path(shutil.copy(tiny_gguf, tmp_path / "other.gguf"))
    one, two, packed = (open_file(file).identity for file in (tiny_gguf, copied, packed_gguf))
    assert one.digest == two.digest
    assert len({one.digest, packed.digest, open_backend("tiny").identity.digest}) == 3
    assert packed.facts["quantised"] == "GGUF Q8_0, unpacked"
    assert packed.facts["gguf"]
    (tmp_path / "config.json").write_text("{}")  # what lies beside the file has no part in it
    assert open_file(copied).identity.digest == one.digest


def test_an_unpacked_model_is_saved_like_any_other(packed_gguf: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = open_file(packed_gguf).load().model
    model.save_pretrained(tmp_path / "saved")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "saved")
    assert getattr(again.config, "quantization_config", None) is None
    for (name, one), (_, two) in zip(
        model.state_dict().items(), again.state_dict().items(), strict=True
    ):
        assert torch.equal(one, two), name


def test_loading_says_nothing(packed_gguf: Path, capfd: pytest.CaptureFixture[str]) -> None:
    open_file(packed_gguf).load()
    assert capfd.readouterr() == ("", "")


def test_an_entry_names_a_file_beside_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.coderobust.models.ours]\nid = "files/m.gguf"\n')
    assert read_settings(tmp_path).models["ours"].id == str(tmp_path / "files" / "m.gguf")


def test_contradictions_are_told_in_numbers() -> None:
    header = GgufHeader("llama", "Q4_K_M", 100, 1024, 5000, 512, 8, False)
    fitting = ListedModel("m", parameters=100, vocabulary=1024, size=5000)
    assert list_contradictions(header, fitting) == ()
    assert list_contradictions(header, ListedModel("m")) == ()
    wrong = ListedModel("m", parameters=1200, vocabulary=9, size=1, quantisation="Q8_0")
    assert list_contradictions(header, wrong) == (
        "the server has 1,200 parameters, the file 100",
        "the server has 9 tokens in the vocabulary, the file 1,024",
        "the server has 1 bytes of tensors, the file 5,000",
        "the server has Q8_0, the file Q4_K",
    )


@pytest.mark.parametrize(
    ("own", "llama", "fits"),
    [
        ("Q4_K_M", "Q4_K - Medium", True),
        ("F32", "all F32", True),
        ("Q4_1", "Q4_1", True),
        ("Q4_0", "Q4_1", False),
        ("BF16", "F16", False),
        ("IQ2_XXS", "IQ2_XXS - 2.0625 bpw", True),
        ("", "Q4_1", True),
        ("Q4_1", "unknown, may not work", True),
    ],
)
def test_types_are_compared_as_far_as_both_name_them(own: str, llama: str, fits: bool) -> None:
    header = GgufHeader("llama", own, 1, 1, 1, None, None, False)
    assert (list_contradictions(header, ListedModel("m", quantisation=llama)) == ()) is fits


@pytest.mark.parametrize(
    ("config", "package"),
    [
        ('{"quantization_config": {"quant_method": "compressed-tensors"}}', "compressed_tensors"),
        ('{"quantization_config": {"quant_method": "awq", "bits": 4}}', "gptqmodel"),
        ('{"quantization_config": {"quant_method": "bitsandbytes"}}', "bitsandbytes"),
        ('{"quantization_config": {"load_in_8bit": true}}', "bitsandbytes"),
    ],
)
def test_kernels_of_packed_folders_are_named_with_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str, package: str
) -> None:
    (tmp_path / "config.json").write_text(config)
    installed = tmp_path / f"{package}-9.8.7.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 9.8.7\n")
    checkpoint = Checkpoint(tmp_path, (), True)
    assert kernel_versions(checkpoint) == {}
    monkeypatch.syspath_prepend(str(tmp_path))
    assert kernel_versions(checkpoint) == {package.replace("_", "-"): "9.8.7"}


def test_folders_that_are_not_packed_name_no_kernels() -> None:
    assert packing_facts(Checkpoint(checkpoint_path(), (), True)) == {}


def test_check_takes_both_versions(tmp_path: Path) -> None:
    for version in (2, 3):
        file = tmp_path / "m.gguf"
        file.write_bytes(b"GGUF" + struct.pack("<I", version) + bytes(16))
        check_gguf("m", file)
